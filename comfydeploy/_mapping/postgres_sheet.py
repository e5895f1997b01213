"""The rows of a map in a PostgreSQL database for its contact sheet, all of one moment."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from comfydeploy._mapping.addresses import shown_journal
from comfydeploy._mapping.postgres import VERSION, schema_of
from comfydeploy._mapping.postgres_connection import connected, reason_of
from comfydeploy._mapping.statements import SHEET
from comfydeploy._wire.arguments import invalid_argument


@contextmanager
def sheet_rows(address: str, name: str) -> Generator[tuple[str, Callable[[], Iterator[tuple[Any, ...]]]]]:
    """Provide a title, and a function that reads all rows; raise ``SDKValidationError`` where that is impossible."""
    try:
        with closing(connected(address, schema_of(name))) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = connection.execute("SELECT obj_description(to_regclass('map'), 'pg_class')").fetchone()
            if found != (VERSION,):
                reason = f"has no map {name!r} of this version of comfydeploy"
                raise invalid_argument("journal", f"{shown_journal(address)} {reason}")

            def rows() -> Iterator[tuple[Any, ...]]:
                with connection.cursor("sheet") as cursor:  # on the server, so that any number of rows takes no memory
                    yield from cursor.execute(SHEET)

            yield f"{name} ({connection.info.dbname})", rows
    except psycopg.Error as error:
        raise invalid_argument("journal", f"{shown_journal(address)} cannot be used: {reason_of(error)}") from None
