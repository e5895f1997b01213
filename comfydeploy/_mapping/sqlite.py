"""The journal in an SQLite file.

Commits that must survive a crash of the machine are synchronous, all others are not: in WAL mode they cost 0.3 ms and
0.01 ms (measured), and the next synchronous one also makes those before it durable.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from typing import Any, Final
from uuid import uuid4

from comfydeploy._mapping.inherited import check_fork, closed, opened
from comfydeploy._mapping.journal import ADOPTED, OTHER_REQUEST, SAME_FILES, Conflict, Entry, Known
from comfydeploy._mapping.owners import Session
from comfydeploy._mapping.rows import DURABLE, Claim, Reopen, Row, Step, Try, Unsend
from comfydeploy._mapping.statements import COLUMNS, SCHEMA, STATEMENTS, step_values
from comfydeploy._mapping.stored import is_adopted, loaded
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy.errors import SDKValidationError

APPLICATION: Final = 0x434D4170
VERSION: Final = 1

_BUSY: Final = 10.0  # seconds to wait for another process that writes
_DAMAGE: Final = ("malformed", "not a database", "Could not decode", "no such column", "no such table")
_SYNCHRONOUS: Final = {True: "PRAGMA synchronous = FULL", False: "PRAGMA synchronous = NORMAL"}


class Sqlite:
    """A journal in a file, which several processes may use at the same time."""

    def __init__(self, path: str, name: str | None, post_limit: float) -> None:
        """Open a journal, or create it; raise ``SDKValidationError`` if that is impossible."""
        self._path = os.path.realpath(path)  # so that all who use it have their locks in one place
        check_fork(self._path)
        try:
            self._connection = _connected(self._path)
        except sqlite3.Error as error:
            raise unusable(path, error) from None
        try:
            self._open(name, post_limit)
            self._session = Session(self._path)
        except sqlite3.Error as error:
            self._connection.close()
            raise unusable(path, error) from None
        except OSError as error:
            self._connection.close()
            raise invalid_argument("journal", f"the lock beside {path} cannot be created: {error.strerror}") from None
        except SDKValidationError:
            self._connection.close()
            raise
        self.session = self._session.name
        opened(self._path)

    def _open(self, name: str | None, post_limit: float) -> None:
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        application, version = (run(f"PRAGMA {one}").fetchone()[0] for one in ("application_id", "user_version"))
        is_empty = run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if is_empty:
            _create(self._connection, uuid4().hex, name or "map", 0)
        elif application != APPLICATION:
            raise self._unfit("is a database of another program")
        elif version != VERSION:
            raise self._unfit(f"has version {version}, and this version of comfydeploy reads version {VERSION}")
        run("UPDATE map SET longest_post = max(longest_post, ?)", (post_limit,))
        self.uuid, self.name, self.longest_post = run("SELECT uuid, name, longest_post FROM map").fetchone()
        if name is not None and name != self.name:
            raise self._unfit(f"is the journal of the map {self.name!r}, not of {name!r}")
        run("COMMIT")

    def _unfit(self, reason: str) -> SDKValidationError:
        return invalid_argument("journal", f"{self._path} {reason}")

    def find(self, keys: Sequence[str]) -> list[Known | None]:
        """Return the known ones of some jobs."""
        return [None if found is None else Known(found[0], found[2]) for found in map(self._found, keys)]

    def add(self, entries: Sequence[Entry]) -> list[Row | Conflict]:
        """Add jobs and return their rows."""
        new = [entry for entry in entries if self._found(entry.key) is None]
        if new:
            with _Transaction(self._connection, durable=False):
                self._connection.executemany(STATEMENTS["add"], new)
        return [self._fitting(entry) for entry in entries]

    def _found(self, key: str) -> tuple[str, str | None, Row] | None:
        found = self._connection.execute(STATEMENTS["find"], (key,)).fetchone()
        return None if found is None else (found[0], found[1], _row(found[2:]))

    def _fitting(self, entry: Entry) -> Row | Conflict:
        found = self._found(entry.key)
        if found is None:
            return Conflict(SAME_FILES)
        digest, place, row = found
        if digest == ADOPTED and self._adopts(entry, row):
            digest = entry.digest
        if digest != entry.digest:
            return Conflict(OTHER_REQUEST)
        if place != entry.place and row.state != "done":
            try:
                with _Transaction(self._connection, durable=False):
                    self._connection.execute(STATEMENTS["place"], (entry.place, row.id))
            except sqlite3.IntegrityError:
                return Conflict(SAME_FILES)
        return row

    def _adopts(self, entry: Entry, row: Row) -> bool:
        if not is_adopted(entry.request, self.request(row.id)):
            return False
        with _Transaction(self._connection, durable=False):
            self._connection.execute(STATEMENTS["adopt"], (entry.digest, entry.request, row.id))
        return True

    def carry_out(self, steps: Sequence[Step]) -> list[Any]:
        """Carry out steps in one transaction and return their answers."""
        with _Transaction(self._connection, durable=any(isinstance(step, DURABLE) for step in steps)):
            return [self._carried_out(step) for step in steps]

    def _carried_out(self, step: Step) -> Any:
        run = self._connection.execute
        is_first = isinstance(step, Try) and run(STATEMENTS["is_first"], (step.id,)).fetchone() is not None
        has_changed = run(STATEMENTS[type(step).__name__.lower()], step_values(step)).rowcount == 1
        if isinstance(step, Try):
            if not has_changed:
                is_own = run(STATEMENTS["is_own"], (step.id, step.owner)).fetchone() is not None
                return "spent" if is_own else "lost"
            run(STATEMENTS["spend"], (int(is_first),))
            return "tried"
        if not has_changed:
            return None
        if isinstance(step, Unsend):
            run(STATEMENTS["spend"], (-1,))
        return self.rows([step.id])[0] if isinstance(step, Claim | Reopen) else True

    def rows(self, ids: Iterable[int]) -> list[Row]:
        """Return the rows with these ids."""
        return [_row(self._connection.execute(STATEMENTS["row"], (one,)).fetchone()) for one in ids]

    def request(self, row_id: int) -> str:
        """Return the request of a row."""
        (request,) = self._connection.execute(STATEMENTS["request"], (row_id,)).fetchone()
        return str(request)

    def is_alive(self, owner: str) -> bool | None:
        """Return whether an owner is alive."""
        return self._session.is_alive(owner)

    def renew(self, lease: float) -> None:
        """Extend the leases of this process."""
        with _Transaction(self._connection, durable=False):
            self._connection.execute(STATEMENTS["renew"], (lease, f"{self.session}*"))

    def drop(self, row_id: int) -> None:
        """Do nothing: a rerun needs the row."""

    def close(self) -> None:
        """Release all rows of this process and close the file."""
        with suppress(sqlite3.Error), _Transaction(self._connection, durable=False):
            self._connection.execute(STATEMENTS["release_all"], (f"{self.session}*",))
        self._connection.close()
        self._session.close()
        closed(self._path)


def write_journal(path: str, name: str, uuid: str, rows: Sequence[tuple[Row, str]]) -> None:
    """Write a journal with rows whose requests are known in part; raise ``SDKValidationError`` where it cannot be."""
    try:
        with closing(_connected(path)) as connection, _Transaction(connection, durable=True):
            _create(connection, uuid, name, len(rows))
            for row, request in rows:
                values = (
                    row.id,
                    row.key,
                    ADOPTED,
                    request,
                    row.state,
                    row.attempt,
                    row.tried_at,
                    row.since,
                    row.run_id,
                )
                connection.execute(STATEMENTS["restore"], values)
    except sqlite3.Error as error:
        raise unusable(path, error) from None


def _create(connection: sqlite3.Connection, uuid: str, name: str, spent: int) -> None:
    for statement in (*SCHEMA, f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {VERSION}"):
        connection.execute(statement)
    connection.execute(STATEMENTS["create"], (uuid, name, 0.0, spent))


class _Transaction:
    """One transaction, which is rolled back where it fails."""

    def __init__(self, connection: sqlite3.Connection, *, durable: bool) -> None:
        self._connection = connection
        self._durable = durable

    def __enter__(self) -> None:
        self._connection.execute(_SYNCHRONOUS[self._durable])  # not possible within a transaction
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:  # a full disk has ended it already
            self._connection.execute("ROLLBACK")


def is_damage(error: sqlite3.Error) -> bool:
    """Check whether an error says that the file is damaged, which another start does not mend."""
    return any(sign in str(error) for sign in _DAMAGE)


def unusable(path: str, error: sqlite3.Error) -> SDKValidationError:
    """Return the error of a journal that cannot be used, in one sentence."""
    text = str(error)
    if "locked" in text:
        return invalid_argument("journal", f"{path} is locked by another program for more than {_BUSY:g} s")
    if is_damage(error):
        return invalid_argument("journal", f"{path} is damaged or not a journal ({text[:100]})")
    return invalid_argument("journal", f"{path} cannot be used: {text}")


def _connected(path: str) -> sqlite3.Connection:
    if not os.path.exists(path):  # noqa: PTH110 - as above
        with suppress(OSError):  # SQLite's own error is better
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # only for its owner: it holds prompts
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _row(values: Sequence[Any]) -> Row:
    fields = dict[str, Any](zip(COLUMNS, values, strict=True))
    if fields["files"] is not None:
        fields["files"] = tuple(loaded(fields["files"]))
    return Row(**fields)
