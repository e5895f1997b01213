"""The database of runs, and what can be wrong with it."""

import os
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from pydantic import ValidationError

FILE: Final = "runs.sqlite"
LOCK: Final = "runs.lock"
# Version 0 wrote no number; its table is the same.
VERSION: Final = 1
_COLUMNS: Final = ["id", "status", "run", "log"]
_WAIT: Final = 1.0  # seconds


class DataError(OSError):
    """The data folder cannot be used; the message says why, and what to do."""


def opened(path: Path | None) -> sqlite3.Connection:
    """Open the database at a path, or one in memory; create its table if it is new."""
    database = sqlite3.connect(
        path or ":memory:",
        timeout=_WAIT,
        # Opened by the thread that starts the server, used by the one that serves.
        check_same_thread=False,
        isolation_level=None,
    )
    try:
        _check_schema(database, path)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, status TEXT, run TEXT, log TEXT)")
        # Versions that do not know it leave it alone, so it needs no number of its own.
        database.execute(
            "CREATE TABLE IF NOT EXISTS documents (kind TEXT, id TEXT, document TEXT, PRIMARY KEY (kind, id))"
        )
        database.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        database.close()
        raise
    return database


def _check_schema(database: sqlite3.Connection, path: Path | None) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    columns = [row[1] for row in database.execute("PRAGMA table_info(runs)")]
    if version > VERSION:
        raise DataError(f"{path} was written by a newer version of comfydeploy: update it, or use another folder")
    if columns not in ([], _COLUMNS):
        raise DataError(f"{path} was written by another program or version: move it away, or use another folder")


@contextmanager
def explained(path: Path | None) -> Generator[None]:
    """Raise a ``DataError`` that says what is wrong with the database at a path."""
    try:
        yield
    except ValidationError:
        raise DataError(
            f"{path} has runs that were written by another version: move it away, or use another folder"
        ) from None
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text:
            raise DataError(f"{path} is locked by another program: end it, or use another folder") from None
        raise DataError(f"{path} cannot be opened and written ({text}): check its permissions and the disk") from None
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path} is damaged, or no database ({error}): move it away, or use another folder") from None


def locked(folder: Path) -> IO[str]:
    """Lock a data folder for this server; closing the file, or the end of the process, ends that."""
    path = folder / LOCK
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}): check the permissions of the folder") from None
    try:
        _lock(file)
    except OSError:
        file.seek(0)
        owner = file.read().strip()
        file.close()
        by = f" (process {owner})" if owner else ""
        raise DataError(f"{folder} is in use by another local server{by}: stop it, or use another folder") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        # Beyond the number of the process, because a locked part cannot be read.
        file.seek(1_000)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
