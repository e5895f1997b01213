"""Connections to a PostgreSQL database, and statements over them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import Identifier

from comfydeploy._mapping.addresses import FORM, is_database, shown_journal
from comfydeploy._mapping.database import expanded
from comfydeploy._mapping.transactions import Call, Results
from comfydeploy._wire.arguments import invalid_argument

# So that a peer that is gone is noticed within half a minute, by both sides.
_PARAMETERS: Final = {
    "application_name": "comfydeploy",
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "target_session_attrs": "read-write",
}
_SETTINGS: Final = {
    "client_encoding": "UTF8",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}
_SET: Final = "SELECT set_config(:name, :value, false)"
# Each commit is durable, because a server that crashes does not end its clients.
_DURABLE: Final = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""

# A name after one colon: two begin a type.
_VALUE: Final = re.compile(r"(?<!:):([a-z]\w*)")
_MARK: Final = re.compile(r"\{(lock|skip)\}")
_MARKS: Final = {"lock": "FOR UPDATE", "skip": "FOR UPDATE SKIP LOCKED"}


def connected(address: str, schema: str) -> "psycopg.Connection[Any]":
    """Connect to a database; raise ``SDKValidationError`` for an invalid address."""
    try:
        given = conninfo_to_dict(address) if is_database(address) else None
    except psycopg.ProgrammingError:  # its text may repeat a part of the password
        given = None
    if given is None:
        raise invalid_argument("journal", f"expected {FORM}, got {shown_journal(address)}") from None
    parameters: dict[str, Any] = {**_PARAMETERS, **given}
    connection = psycopg.connect(**parameters, autocommit=True)
    settings = {**_SETTINGS, "search_path": Identifier(schema).as_string(connection)}
    try:
        set_up = [Call(_SET, {"name": name, "value": value}) for name, value in settings.items()]
        executed(connection, [*set_up, Call(_DURABLE)])
    except BaseException:
        connection.close()
        raise
    return connection


def executed(connection: "psycopg.Connection[Any]", calls: Sequence[Call]) -> Results:
    """Carry out statements in one round trip and return their rows."""
    cursor = psycopg.ClientCursor(connection)
    cursor.execute(";".join(cursor.mogrify(*_translated(call)) for call in calls).encode())
    results: Results = []
    for _ in calls:
        results.append(cursor.fetchall() if cursor.description else [])
        cursor.nextset()
    return results


def _translated(call: Call) -> tuple[bytes, Mapping[str, Any]]:
    text, values = expanded(call)
    return _VALUE.sub(r"%(\1)s", _MARK.sub(lambda mark: _MARKS[mark[1]], text)).encode(), values


def reason_of(error: psycopg.Error) -> str:
    """Return what a server or a driver says, in one line and without its place."""
    text = str(error).strip() or type(error).__name__
    line = text.splitlines()[-1 if "FATAL" in text else 0]
    return line.rpartition("FATAL:")[2].strip().rstrip(".")[:300]
