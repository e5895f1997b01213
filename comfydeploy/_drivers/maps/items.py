"""The items of a map."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from comfydeploy._mapping.actions import Ended
from comfydeploy._mapping.jobs import GivenJob
from comfydeploy._mapping.rows import Row
from comfydeploy._mapping.stored import CURE, error_of, run_of
from comfydeploy._wire.transport_errors import request_error
from comfydeploy.errors import ComfyDeployError, UnexpectedClientError
from comfydeploy.mapping import MapItem
from comfydeploy.result import Failure, Success

_AGAIN: Final = "Start the map again to go on"


def item_of(job: GivenJob, run_id: str | None, attempt: int, saved: Iterable[Path], result: Ended) -> MapItem:
    """Return the item of a job."""
    return MapItem(job.index, job.key, job.request, run_id, attempt, list(saved), result)


def stored_item(job: GivenJob, row: Row) -> MapItem:
    """Return the item of a job that is done in a journal file, where its run and its error are text."""
    run: Any = run_of(row.run)
    error = error_of(row.error, run)
    result: Ended = Success(run) if error is None else Failure(error)
    return item_of(job, row.run_id, row.attempt, map(Path, row.files or ()), result)


def failed_map(error: Exception) -> MapItem:
    """Return the item of a map that cannot go on."""
    known: Any = error.with_traceback(None)
    if isinstance(error, sqlite3.Error):
        from comfydeploy._mapping.sqlite import is_damage

        cure = f"Its file is damaged: {CURE}" if is_damage(error) else _AGAIN
        known = UnexpectedClientError(f"journal: {str(error)[:100]}. {cure}", "unknown")
        known.__cause__ = error
    elif not isinstance(error, ComfyDeployError):
        known = request_error(error, "unknown", closed=False)
    return MapItem(-1, "", {}, None, 0, [], Failure(known))
