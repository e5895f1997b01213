"""The journal in an SQLite file.

Commits that must survive a crash of the machine are synchronous, all others are not: in WAL mode they cost 0.3 ms and
0.01 ms (measured), and the next synchronous one also makes those before it durable.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import cache, partial
from typing import Any, Final, TypeVar
from uuid import uuid4

from comfydeploy._mapping.database import Database, expanded
from comfydeploy._mapping.forks import close_in_children
from comfydeploy._mapping.journal import RENEWAL
from comfydeploy._mapping.owners import Session
from comfydeploy._mapping.rows import Row
from comfydeploy._mapping.statements import RENEW
from comfydeploy._mapping.transactions import (
    Call,
    Results,
    Transaction,
    carried_out,
    creating,
    joining,
    releasing,
    restoring,
)
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy.errors import SDKValidationError

R = TypeVar("R")

APPLICATION: Final = 0x434D4170
VERSION: Final = 1

_BUSY: Final = 10.0  # seconds to wait for another process that writes
_FORKED: Final = (
    "was open in the process from which this one was forked, which SQLite does not allow: "
    "make the pool with mp_context=multiprocessing.get_context('spawn')"
)
_DAMAGE: Final = ("malformed", "not a database", "Could not decode", "no such column", "no such table")
_SYNCHRONOUS: Final = {True: "PRAGMA synchronous = FULL", False: "PRAGMA synchronous = NORMAL"}

# SQLite keeps one list of the locks of a process. A child inherits it together with locks that it does not have, so its
# parent may remove the write-ahead log while the child writes: what the child recorded is lost (measured).
_inherited: Final[set[str]] = set()


class Connection(sqlite3.Connection):
    """A connection on which a damaged schema is an error of SQLite too, although its message may be no text."""

    def execute(self, *given: Any) -> sqlite3.Cursor:
        """Execute a statement."""
        try:
            return super().execute(*given)
        except UnicodeDecodeError:
            raise sqlite3.DatabaseError("malformed database schema") from None


class Sqlite(Database):
    """A journal in a file, which several processes may use at the same time."""

    renewal = RENEWAL

    def __init__(self, path: str, name: str | None, post_limit: float) -> None:
        """Open a journal, or create it; raise ``SDKValidationError`` if that is impossible."""
        self._path = os.path.realpath(path)  # so that all who use it have their locks in one place
        if self._path in _inherited:
            raise self._unfit(_FORKED)
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
        self._is_open = True
        close_in_children(self)

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
        self.uuid, self.name, self.longest_post = carried_out(joining(post_limit), self._execute)
        if name is not None and name != self.name:
            raise self._unfit(f"is the journal of the map {self.name!r}, not of {name!r}")
        run("COMMIT")

    def _unfit(self, reason: str) -> SDKValidationError:
        return invalid_argument("journal", f"{self._path} {reason}")

    def _read(self, begun: Callable[[], Transaction[R]]) -> R:
        return carried_out(begun(), self._execute)

    def _write(self, begun: Callable[[], Transaction[R]], *, durable: bool) -> R:
        with _Transaction(self._connection, durable=durable):
            return carried_out(begun(), self._execute)

    def _execute(self, calls: Sequence[Call]) -> Results:
        return _executed(self._connection, calls)

    def is_alive(self, owner: str) -> bool | None:
        """Return whether an owner is alive."""
        return self._session.is_alive(owner)

    def renew(self, lease: float) -> None:
        """Extend the leases of this process."""
        with _Transaction(self._connection, durable=False):
            self._execute([Call(RENEW, {"lease": lease, "session": self.session})])

    def leave(self) -> None:
        """Do nothing: a file is not out of reach."""

    def close(self) -> None:
        """Release all rows of this process and close the file."""
        with suppress(sqlite3.Error, SDKValidationError):
            self._write(partial(releasing, self.session), durable=False)
        self._connection.close()
        self._session.close()
        self._is_open = False

    def forget(self) -> None:
        """Refuse the file in this process, a child of the one that has opened it."""
        if self._is_open:
            _inherited.add(self._path)


def write_rows(path: str, name: str, uuid: str, rows: Sequence[tuple[Row, str]]) -> None:
    """Write a journal with rows whose requests are known in part; raise ``SDKValidationError`` where it cannot be."""
    try:
        with closing(_connected(path)) as connection, _Transaction(connection, durable=True):
            execute = partial(_executed, connection)
            _create(connection, uuid, name, len(rows))
            carried_out(restoring(rows), execute)
    except sqlite3.Error as error:
        raise unusable(path, error) from None


def _create(connection: sqlite3.Connection, uuid: str, name: str, spent: int) -> None:
    carried_out(creating(uuid, name, spent, "INTEGER"), partial(_executed, connection))
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _executed(connection: sqlite3.Connection, calls: Sequence[Call]) -> Results:
    """Carry out statements and return their rows."""
    plain = (expanded(Call(_plain(call.text), call.values)) for call in calls)
    return [connection.execute(text, values).fetchall() for text, values in plain]


@cache
def _plain(text: str) -> str:
    return text.replace("{lock}", "").replace("{skip}", "")  # there is one writer at a time


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
    if not os.path.exists(path):  # noqa: PTH110 - a name is not needed
        with suppress(OSError):  # SQLite's own error is better
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # only for its owner: it holds prompts
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False, factory=Connection)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
