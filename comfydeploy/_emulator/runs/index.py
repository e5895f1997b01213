"""The index of the runs: what a search looks at."""

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_json

from comfydeploy._emulator.runs.run import Run

# Of each input: a file that is written into an input as a data URI is not searched.
_LONGEST: Final = 2_000


@dataclass(frozen=True)
class Criteria:
    """What a search looks for; a run is found if it meets all of them.

    ``deployment`` is the id of a deployment and that of its workflow, because a run may have been started without the
    first. ``words`` must all be in the inputs, written ``name=value``, or in the id of the run; case does not matter.
    """

    status: str | None = None
    deployment: tuple[str, str] | None = None
    words: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


class RunIndex:
    """The runs by what a search looks at, in memory, because the database has each run as one JSON document."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database: Final = database
        database.execute("PRAGMA temp_store = MEMORY")
        # The numbers have the order of the runs.
        database.execute(
            "CREATE TEMP TABLE listed (number INTEGER PRIMARY KEY, id TEXT UNIQUE, status TEXT, deployment_id TEXT,"
            " workflow_id TEXT, created REAL, text TEXT)"
        )
        database.execute("CREATE INDEX temp.statuses ON listed (status)")

    def save(self, run: Run) -> None:
        """Add a run, or change its status: nothing else of what is searched ever changes."""
        if self._database.execute("UPDATE listed SET status = ? WHERE id = ?", (run.status, run.id)).rowcount:
            return
        self._database.execute(
            "INSERT INTO listed (id, status, deployment_id, workflow_id, created, text) VALUES (?, ?, ?, ?, ?, ?)",
            (run.id, run.status, run.deployment_id, run.workflow_id, run.created_at.timestamp(), _text(run)),
        )

    def remove(self, run_id: str) -> None:
        """Remove a run."""
        self._database.execute("DELETE FROM listed WHERE id = ?", (run_id,))

    def documents(self, criteria: Criteria, limit: int, offset: int) -> list[str]:
        """Return a page of the runs that are found, newest first, as JSON documents."""
        where, values = _condition(criteria)
        page = f"SELECT id, number FROM listed WHERE {where} ORDER BY number DESC LIMIT ? OFFSET ?"  # noqa: S608 - of constants
        # The inner query reads no document of a run that is not on the page.
        documents = f"SELECT run FROM ({page}) AS page JOIN runs ON runs.id = page.id ORDER BY number DESC"  # noqa: S608 - the same
        return [row[0] for row in self._database.execute(documents, (*values, limit, offset))]

    def statuses(self, criteria: Criteria) -> dict[str, int]:
        """Count the runs of each status that are found when the status does not matter."""
        where, values = _condition(replace(criteria, status=None))
        counts = f"SELECT status, count(*) FROM listed WHERE {where} GROUP BY status"  # noqa: S608 - of constants
        return dict(self._database.execute(counts, values).fetchall())


def _condition(criteria: Criteria) -> tuple[str, list[Any]]:
    parts: list[tuple[str, tuple[Any, ...]]] = [("TRUE", ())]
    if criteria.status is not None:
        parts.append(("status = ?", (criteria.status,)))
    if criteria.deployment is not None:
        parts.append(("(deployment_id = ? OR deployment_id IS NULL AND workflow_id = ?)", criteria.deployment))
    if criteria.since is not None:
        parts.append(("created >= ?", (criteria.since.timestamp(),)))
    if criteria.until is not None:
        parts.append(("created < ?", (criteria.until.timestamp(),)))
    parts.extend(("instr(text, ?)", (_stored(word),)) for word in criteria.words)
    return " AND ".join(condition for condition, _ in parts), [value for _, values in parts for value in values]


def _text(run: Run) -> str:
    inputs = (
        f"{name}={(value if isinstance(value, str) else to_json(value).decode())[:_LONGEST]}"
        for name, value in run.workflow_inputs.items()
    )
    return _stored("\n".join((run.id, *inputs)))


def _stored(text: str) -> str:
    # SQLite stores neither a lone surrogate nor what follows a NUL.
    return text.casefold().replace("\0", " ").encode(errors="replace").decode()
