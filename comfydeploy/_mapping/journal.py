"""The interface of journals, and the journal of a map without a file."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from attrs import evolve

from comfydeploy._mapping.rows import Row, Step, answered

ADOPTED: Final = ""
"""The digest of a row that was written anew for a run: only the inputs of its request are known."""

RENEWAL: Final = 15.0
"""The seconds between two extensions of leases, a quarter of their length."""

SAME_KEY: Final = "another job has this key"
SAME_FILES: Final = "another job would have the same file names: add {key} to the pattern"
OTHER_REQUEST: Final = "the journal has another request for this key: give the job another key, or take another journal"


class Entry(NamedTuple):
    """A job that is given to a journal.

    ``digest`` is that of its request, ``request`` its JSON without what is secret, and ``place`` the name of its files
    as far as it is known, by which two jobs with the same files are found.
    """

    key: str
    digest: str
    request: str
    place: str | None


class Known(NamedTuple):
    """A job that a journal has, with the digest of its request."""

    digest: str
    row: Row


class Conflict(NamedTuple):
    """Why a job does not fit the journal."""

    reason: str


class Journal(Protocol):
    """The rows of a map. All methods block; they are called by one thread at a time."""

    @property
    def uuid(self) -> str:
        """The id of the journal, which is part of each marker."""
        ...

    @property
    def name(self) -> str:
        """The name of the map."""
        ...

    @property
    def longest_post(self) -> float:
        """The longest time for one request of all processes that have used the journal."""
        ...

    @property
    def session(self) -> str:
        """The prefix of the owners of this process."""
        ...

    @property
    def renewal(self) -> float:
        """The seconds between two calls of ``renew``."""
        ...

    def find(self, keys: Sequence[str]) -> list[Known | None]:
        """Return the known ones of some jobs, in their order."""
        ...

    def add(self, entries: Sequence[Entry]) -> list[Row | Conflict]:
        """Add the unknown ones of some jobs, and return the rows of all, in their order."""
        ...

    def carry_out(self, steps: Sequence[Step]) -> list[Any]:
        """Carry out steps in one transaction and return their answers; durably if one of them must be."""
        ...

    def rows(self, ids: Iterable[int]) -> list[Row]:
        """Return the rows with these ids."""
        ...

    def is_alive(self, owner: str) -> bool | None:
        """Return whether an owner is alive, ``None`` if that is unknown. It does not block."""
        ...

    def renew(self, lease: float) -> None:
        """Extend the leases of this process."""
        ...

    def drop(self, row_id: int) -> None:
        """Remove a row that is done, if nothing is kept for other processes."""
        ...

    def leave(self) -> None:
        """Wait no more for a journal that is out of reach; any thread may call this."""
        ...

    def close(self) -> None:
        """Release all rows of this process and close the journal."""
        ...


class StoredJournal(Journal, Protocol):
    """A journal that is kept, and that several processes may use."""

    def request(self, row_id: int) -> str:
        """Return the request of a row as JSON, without files and the query strings of addresses."""
        ...


class Memory:
    """A journal that ends with the map."""

    def __init__(self, name: str, uuid: str, longest_post: float) -> None:
        self.uuid = uuid
        self.name = name
        self.longest_post = longest_post
        self.session = "this"
        self.renewal = RENEWAL
        self._rows: dict[int, Row] = {}
        self._ids: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._names: dict[int, tuple[str, str | None]] = {}
        self._count = 0
        self._spent = 0

    def find(self, keys: Sequence[str]) -> list[Known | None]:
        """Return nothing: every job is new."""
        return [None] * len(keys)

    def add(self, entries: Sequence[Entry]) -> list[Row | Conflict]:
        """Add jobs and return their rows."""
        return [self._added(entry) for entry in entries]

    def _added(self, entry: Entry) -> Row | Conflict:
        if entry.key in self._ids:
            return Conflict(SAME_KEY)
        if entry.place in self._places:
            return Conflict(SAME_FILES)
        self._count += 1
        row = Row(self._count, entry.key)
        self._rows[row.id], self._ids[row.key] = row, row.id
        self._names[row.id] = entry.key, entry.place
        if entry.place is not None:
            self._places[entry.place] = row.id
        return row

    def carry_out(self, steps: Sequence[Step]) -> list[Any]:
        """Carry out steps and return their answers."""
        return [self._carried_out(step) for step in steps]

    def _carried_out(self, step: Step) -> Any:
        answer = answered(self._rows[step.id], step, self._spent)
        if answer.row is not None:
            self._rows[step.id] = answer.row
        self._spent += answer.runs
        return answer.value

    def rows(self, ids: Iterable[int]) -> list[Row]:
        """Return the rows with these ids."""
        return [self._rows[one] for one in ids]

    def is_alive(self, owner: str) -> bool | None:
        """Return ``True``: all owners are of this process."""
        return owner.startswith(self.session)

    def renew(self, lease: float) -> None:
        """Extend the leases, which no other process reads."""
        self._rows = {key: evolve(row, lease=lease) if row.owner else row for key, row in self._rows.items()}

    def drop(self, row_id: int) -> None:
        """Remove a row."""
        key, place = self._names.pop(row_id)
        del self._rows[row_id], self._ids[key]
        if place is not None:
            del self._places[place]

    def leave(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Keep nothing."""
