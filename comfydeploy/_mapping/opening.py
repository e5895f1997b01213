"""The journal of a map, by the form of its argument: none, the path of a file, or the address of a database."""

import os
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import uuid4

from comfydeploy._mapping.addresses import is_address, shown_journal
from comfydeploy._mapping.journal import Journal, Memory
from comfydeploy._mapping.rows import Row
from comfydeploy._wire.arguments import invalid_argument

if TYPE_CHECKING:
    from comfydeploy._mapping.postgres import Postgres
    from comfydeploy._mapping.sqlite import Sqlite


def open_journal(journal: str | None, name: str | None, post_limit: float) -> Journal:
    """Open a journal, or create it; raise ``SDKValidationError`` if that is impossible."""
    if journal is None:
        return Memory(name or "map", uuid4().hex, post_limit)
    return open_stored(journal, name, post_limit)


def open_stored(journal: str, name: str | None, post_limit: float) -> "Sqlite | Postgres":
    """Open a journal that is kept, or create it; raise ``SDKValidationError`` if that is impossible."""
    if is_address(journal):
        require_psycopg(journal)
        from comfydeploy._mapping.postgres import Postgres

        return Postgres(journal, name, post_limit)
    from comfydeploy._mapping.sqlite import Sqlite

    return Sqlite(journal, name, post_limit)


def check_new(journal: str, name: str) -> None:
    """Raise ``SDKValidationError`` where a map has this journal already."""
    if not is_address(journal):
        if os.path.exists(journal) and os.path.getsize(journal):  # noqa: PTH110, PTH202 - a name is not needed
            raise invalid_argument("journal", f"{journal} is there already: start run_map with it, or name a new file")
        return
    require_psycopg(journal)
    from comfydeploy._mapping.postgres import check_absent

    check_absent(journal, name)


def write_journal(journal: str, name: str, uuid: str, rows: Sequence[tuple[Row, str]]) -> None:
    """Write a journal with rows whose requests are known in part; raise ``SDKValidationError`` where it cannot be."""
    if is_address(journal):
        from comfydeploy._mapping import postgres

        postgres.write_rows(journal, name, uuid, rows)
    else:
        from comfydeploy._mapping import sqlite

        sqlite.write_rows(journal, name, uuid, rows)


def require_psycopg(journal: str) -> None:
    """Raise ``SDKValidationError`` where the driver of databases is missing."""
    try:
        import_module("psycopg")  # which fails also where its library is missing
    except ImportError:
        cure = "pip install 'comfydeploy[postgres]' 'psycopg[binary]'"
        raise invalid_argument("journal", f"{shown_journal(journal)} needs psycopg with libpq: {cure}") from None
