"""The contact sheet of a journal: its rows as the jobs of a page. The journal is not changed."""

import os
import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from comfydeploy._display.sheet import SheetJob, sheet_page
from comfydeploy._mapping.addresses import is_address
from comfydeploy._mapping.opening import require_psycopg
from comfydeploy._mapping.settings import checked_name, known_journal
from comfydeploy._mapping.sqlite import APPLICATION, VERSION, Connection, unusable
from comfydeploy._mapping.statements import SHEET, SHEET_COLUMNS
from comfydeploy._mapping.stored import check_columns, files_of, object_of
from comfydeploy._wire.arguments import invalid_argument, path_text
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.keys import KEY_INPUT

_Rows: TypeAlias = Callable[[], Iterator[tuple[Any, ...]]]

# The statuses of jobs whose run has not ended, or is unknown.
_OPEN: Final = {"new": "waiting", "trying": "waiting", "created": "running", "ended": "success"}
_UNSAVED: Final = "The files of this run are not saved yet"


def write_sheet(journal: object, to: object, name: object) -> Path:
    """Write the sheet of a journal and return its path; raise ``SDKValidationError`` if that is impossible."""
    source, known_as = known_journal(journal), checked_name(name)
    target = path_text("to", to, "the path of a file")
    path = Path(os.path.abspath(target))  # noqa: PTH100 - it resolves no links, which the files may not go through
    part = path.with_name(f".{os.urandom(6).hex()}.part")
    try:
        with _opened(source, known_as) as (title, rows):
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8", errors="replace") as page:
                page.writelines(sheet_page(title, partial(_jobs, rows, path.parent)))
        part.replace(path)
    except OSError as error:
        raise invalid_argument("to", f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def _opened(journal: str, name: str | None) -> AbstractContextManager[tuple[str, _Rows]]:
    if not is_address(journal):
        return _file(journal, name)
    require_psycopg(journal)
    from comfydeploy._mapping.postgres_sheet import sheet_rows

    return sheet_rows(journal, name or "map")


@contextmanager
def _file(journal: str, name: str | None) -> Generator[tuple[str, _Rows]]:
    try:
        with closing(_connected(journal)) as connection:
            _check(connection, journal)
            connection.execute("BEGIN")  # so that all reads have the same rows, while a map goes on
            (known,) = connection.execute("SELECT name FROM map").fetchone()
            if name not in (None, known):
                raise invalid_argument("journal", f"{journal} is the journal of the map {known!r}, not of {name!r}")
            title = f"{known} ({os.path.basename(journal)})"  # noqa: PTH119 - a path of any kind, as it is given
            yield title, lambda: connection.execute(SHEET)
    except sqlite3.Error as error:
        raise unusable(journal, error) from None


def _connected(journal: str) -> sqlite3.Connection:
    if not os.path.isfile(journal):  # noqa: PTH113 - as above
        raise invalid_argument("journal", f"there is no file {journal}")
    address = f"file:{quote(os.path.abspath(journal), errors='surrogateescape')}?mode=ro"  # noqa: PTH100 - the same
    return sqlite3.connect(address, uri=True, isolation_level=None, factory=Connection)


def _check(connection: sqlite3.Connection, journal: str) -> None:
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if found != [APPLICATION, VERSION]:
        raise invalid_argument("journal", f"{journal} is no journal of this version of comfydeploy")


def _jobs(rows: _Rows, folder: Path) -> Iterator[SheetJob]:
    return (_job(row, folder) for row in rows())


def _job(row: tuple[Any, ...], folder: Path) -> SheetJob:
    columns: dict[str, Any] = dict(zip(SHEET_COLUMNS, row, strict=True))
    check_columns(columns)
    key, state, attempt, request, tried_at, run_id, run_text, error_text, files = row
    run, error, inputs = object_of(run_text), object_of(error_text), object_of(request).get("inputs")
    if state == "done":
        status = str(run.get("status") or error.get("error") or "success")
    else:
        status = "unresolved" if state == "trying" and tried_at is not None else _OPEN[state]
    return SheetJob(
        key=key,
        status=status,
        inputs={name: value for name, value in inputs.items() if name != KEY_INPUT} if is_object(inputs) else {},
        attempt=attempt,
        run_id=run_id,
        seconds=_seconds(run),
        reason=str(error.get("message") or "") or (_UNSAVED if state == "ended" else None),
        files=tuple(_relative(file, folder) for file in files_of(files) or ()),
    )


def _seconds(run: Mapping[str, Any]) -> float | None:
    found = run.get("run_duration") if run.get("duration") is None else run["duration"]
    try:
        return float(found) if isinstance(found, int | float) else None
    except OverflowError:
        return None


def _relative(file: str, folder: Path) -> str:
    """Return the address of a file relative to the folder of the page."""
    path = os.path.abspath(file)  # noqa: PTH100 - the same
    try:
        return quote(Path(os.path.relpath(path, folder)).as_posix(), errors="surrogateescape")
    except ValueError:  # on another drive
        return Path(path).as_uri()
