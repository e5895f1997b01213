"""The connection of a process to a PostgreSQL database: it is made again where it is lost, and proves that it lives.

The process holds an advisory lock, which PostgreSQL drops with the connection. A process that is stopped or slow keeps
both. One whose connection is cut connects again within seconds, so only a lock that is missing for longer, by the clock
of the database, is that of a dead process.

A transaction whose commit was not answered is looked up by its number, which is part of it, so it is carried out once.
"""

import os
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from threading import Event
from time import monotonic
from typing import Any, Final, TypeVar

import psycopg

from comfydeploy._mapping.addresses import shown_journal
from comfydeploy._mapping.forks import close_in_children
from comfydeploy._mapping.postgres_connection import connected, executed, reason_of
from comfydeploy._mapping.transactions import Call, Results, Transaction, carried_out
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy.errors import ComfyDeployError, UnexpectedClientError

R = TypeVar("R")

ABSENCE: Final = 10.0
"""Seconds for which a lock is missing until its process counts as dead."""

_PATIENCE: Final = 60.0  # seconds in which a lost connection is made again
_PAUSES: Final = (0.1, 0.2, 0.5, 1.0)
FRESH: Final = 5.0
"""Seconds within which a commit is answered, or the answer may be too old to rely on: half of ``ABSENCE``."""

_PASSING: Final = {"40001", "40P01", "55P03"}  # serialization_failure, deadlock_detected, lock_not_available

_LOCK: Final = "SELECT pg_try_advisory_lock(:key)"
_LOCKS: Final = """
    FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_KEY: Final = "((classid::bigint << 32) | objid::bigint)"
_LIVING: Final = f"SELECT {_KEY} {_LOCKS}"
_EVICT: Final = f"SELECT pg_terminate_backend(pid) {_LOCKS} AND {_KEY} = :key"
_NOTE: Final = """
    INSERT INTO sessions (session, number) VALUES (:session, :number)
    ON CONFLICT (session) DO UPDATE SET number = excluded.number, missing = NULL
"""
_MISS: Final = """
    INSERT INTO sessions (session, number, missing) VALUES (:session, 0, clock_timestamp())
    ON CONFLICT (session) DO UPDATE SET missing = coalesce(sessions.missing, excluded.missing)
    RETURNING extract(epoch FROM clock_timestamp() - missing)::float8
"""
_APPEAR: Final = "UPDATE sessions SET missing = NULL WHERE session = :session AND missing IS NOT NULL"
_NOTED: Final = "SELECT 1 FROM sessions WHERE session = :session AND number = :number"
_FORGET: Final = "DELETE FROM sessions WHERE session = :session"
_BEGIN: Final = Call("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
_COMMIT: Final = Call("COMMIT")


class PostgresSession:
    """The use of a journal by one process. ``name`` is how its owners begin, before a slash."""

    def __init__(self, address: str, schema: str) -> None:
        """Connect; raise ``SDKValidationError`` if that is impossible."""
        self._address = address
        self._schema = schema
        self._key = int.from_bytes(os.urandom(7))
        self.name = _session_name(self._key)
        self._number = 0
        self._is_leaving = Event()
        self.is_open = False
        self.is_certain = True
        """Whether no other process could take this one for dead during the last transaction."""
        self._connection: psycopg.Connection[Any] | None = None
        try:
            self._connection = self._connected()
        except psycopg.Error as error:
            raise self.failed(reason_of(error)) from None
        close_in_children(self)

    def read(self, begun: Callable[[], Transaction[R]]) -> R:
        """Carry out a transaction that only reads."""
        return self._patiently(lambda connection: carried_out(begun(), partial(executed, connection)))

    def write(self, begun: Callable[[], Transaction[R]]) -> R:
        """Carry out a transaction once, whatever happens to the connection."""
        unanswered: list[tuple[int, R]] = []  # the transaction whose commit was sent, with its result

        def written(connection: psycopg.Connection[Any]) -> R:
            for number, result in unanswered:
                if any(executed(connection, [Call(_NOTED, {"session": self.name, "number": number})])[0]):
                    return result
            unanswered.clear()
            self._number += 1
            note = Call(_NOTE, {"session": self.name, "number": self._number})
            try:
                result = carried_out(begun(), _executing(connection))
                unanswered.append((self._number, result))
                sent = _moment()
                executed(connection, [note, _COMMIT])
            except BaseException:
                with suppress(psycopg.Error):
                    connection.rollback()
                raise
            self.is_certain = self.is_certain and _since(sent) < FRESH
            return result

        return self._patiently(written)

    def appear(self) -> None:
        """Use the connection, so that a lost one is made again before other processes take this one for dead."""
        self._patiently(lambda connection: executed(connection, [Call(_APPEAR, {"session": self.name})]))

    def dead(self, sessions: AbstractSet[str]) -> set[str]:
        """Return those sessions whose lock is missing for some time, after their rows were read."""
        return self._patiently(lambda connection: _dead(connection, sessions))

    def leave(self) -> None:
        """Make no lost connection again."""
        self._is_leaving.set()

    def close(self) -> None:
        """Close the connection, with which the lock ends."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                executed(connection, [Call(_FORGET, {"session": self.name})])
            connection.close()

    def forget(self) -> None:
        """Close the descriptor in a child process, which would keep the connection of its parent open."""
        if self._connection is not None and not self._connection.closed:
            os.close(self._connection.fileno())

    def _patiently(self, work: Callable[[psycopg.Connection[Any]], R]) -> R:
        """Do some work, again and again while the database cannot be reached."""
        until, pauses = monotonic() + _PATIENCE, iter(_PAUSES)
        self.is_certain = True
        while True:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = None
                    self._connection = self._connected()
                return work(self._connection)
            except psycopg.Error as error:
                failure = error
            is_lost = self._connection is None or self._connection.closed
            if not is_lost and failure.sqlstate not in _PASSING:
                raise self.failed(reason_of(failure))
            self.is_certain = False
            if monotonic() >= until or self._is_leaving.wait(next(pauses, _PAUSES[-1])):
                raise self.failed(f"it cannot be reached: {reason_of(failure)}")

    def failed(self, reason: str) -> ComfyDeployError:
        """Return the error of a database that cannot be used, before or after the journal was opened."""
        shown = shown_journal(self._address)
        if not self.is_open:
            return invalid_argument("journal", f"{shown} cannot be used: {reason}")
        return UnexpectedClientError(f"journal: {shown}: {reason}. Start the map again to go on", "unknown")

    def _connected(self) -> "psycopg.Connection[Any]":
        connection = connected(self._address, self._schema)
        try:
            self._lock(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _lock(self, connection: "psycopg.Connection[Any]") -> None:
        [[(is_locked,)]] = executed(connection, [Call(_LOCK, {"key": self._key})])
        if not is_locked:  # by the connection that was lost, of which the server does not know yet
            executed(connection, [Call(_EVICT, {"key": self._key})])
            raise psycopg.OperationalError("the connection that was lost is not closed yet")


def _executing(connection: "psycopg.Connection[Any]") -> Callable[[Sequence[Call]], Results]:
    """Return what carries out statements in a transaction, which the first ones begin."""
    beginning = [_BEGIN]

    def execute(calls: Sequence[Call]) -> Results:
        sent = [*beginning, *calls]
        beginning.clear()
        return executed(connection, sent)[-len(calls) :]

    return execute


def _dead(connection: "psycopg.Connection[Any]", sessions: AbstractSet[str]) -> set[str]:
    [keys] = executed(connection, [Call(_LIVING)])
    missing = sorted(sessions - {_session_name(key) for (key,) in keys})
    if not missing:
        return set()
    noted = executed(connection, [Call(_MISS, {"session": one}) for one in missing])
    return {one for one, [(seconds,)] in zip(missing, noted, strict=True) if seconds >= ABSENCE}


def _session_name(key: int) -> str:
    return f"{key:014x}"


def _moment() -> tuple[float, float]:
    return monotonic(), time.time()


def _since(moment: tuple[float, float]) -> float:
    """Return the seconds since a moment; the wall clock also counts those in which the machine was suspended."""
    return max(now - then for now, then in zip(_moment(), moment, strict=True))
