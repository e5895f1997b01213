"""A journal in a database: its methods as transactions, which SQLite and PostgreSQL carry out each in its way."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from comfydeploy._mapping.journal import Conflict, Entry, Known
from comfydeploy._mapping.rows import DURABLE, Row, Step
from comfydeploy._mapping.transactions import Call, Transaction, adding, carrying, finding, reading, requesting

R = TypeVar("R")

_MOST: Final = 500


class Database(ABC):
    """A journal in a database, which several processes may use at the same time."""

    longest_post: float

    @abstractmethod
    def _read(self, begun: Callable[[], Transaction[R]]) -> R:
        """Carry out a transaction that only reads."""
        ...

    @abstractmethod
    def _write(self, begun: Callable[[], Transaction[R]], *, durable: bool) -> R:
        """Carry out a transaction whole or not at all."""
        ...

    def find(self, keys: Sequence[str]) -> list[Known | None]:
        """Return the known ones of some jobs."""
        return self._read(partial(finding, keys))

    def add(self, entries: Sequence[Entry]) -> list[Row | Conflict]:
        """Add jobs and return their rows."""
        return self._write(partial(adding, entries), durable=False)

    def carry_out(self, steps: Sequence[Step]) -> list[Any]:
        """Carry out steps in one transaction and return their answers."""
        durable = any(isinstance(step, DURABLE) for step in steps)
        carried = self._write(partial(carrying, steps), durable=durable)
        self.longest_post = carried.longest_post
        return carried.answers

    def rows(self, ids: Iterable[int]) -> list[Row]:
        """Return the rows with these ids."""
        return self._read(partial(reading, ids))

    def request(self, row_id: int) -> str:
        """Return the request of a row."""
        return self._read(partial(requesting, row_id))

    def drop(self, row_id: int) -> None:  # noqa: B027 - it is the same for all
        """Do nothing: a rerun needs the row."""


def expanded(call: Call) -> tuple[str, Mapping[str, Any]]:
    """Return the text of a call with its items in place of each list, and its values.

    Many numbers become part of the text, because the number of values has a limit; few do not, because SQLite keeps
    statements with the same text.
    """
    text, values = call.text, dict(call.values)
    for name, value in call.values.items():
        if isinstance(value, list):
            items: list[Any] = values.pop(name)
            is_long = len(items) > _MOST and isinstance(items[0], int)
            named = {} if is_long else {f"{name}_{place}": item for place, item in enumerate(items)}
            values |= named
            listed = map(str, items) if is_long else map(":{}".format, named)
            text = text.replace(f":{name}", ", ".join(listed) or "NULL")
    return text, values
