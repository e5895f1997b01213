"""The store of runs: one SQLite table and a folder of files."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from comfydeploy._emulator.folder import Folder
from comfydeploy._emulator.runs.collection import Collection
from comfydeploy._emulator.runs.database import FILE, explained, locked, opened
from comfydeploy._emulator.runs.index import Criteria, RunIndex
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.run import ENDED, Run

_LINES: Final = TypeAdapter(list[LogLine])


class Store:
    """The runs and their files; with ``retention``, only that many of the ended runs, the latest ones.

    A temporary folder has their files only, and the runs are in memory.
    """

    def __init__(self, folder: Folder, retention: int | None) -> None:
        self._folder: Final = folder
        self._retention: Final = retention
        # Whether each run has files, oldest first.
        self._ended: Final[dict[str, bool]] = {}
        path = None if folder.is_temporary else folder.path / FILE
        with ExitStack() as exits, explained(path):
            if path:
                exits.enter_context(locked(path.parent))
            self._database: Final = exits.enter_context(closing(opened(path)))
            self._index: Final = RunIndex(self._database)
            self._reopen()
            self._exits: Final = exits.pop_all()

    def close(self) -> None:
        """Close the database, and unlock the folder."""
        self._exits.close()

    def collection(self, kind: str) -> Collection:
        """Return the documents of a kind that are kept beside the runs."""
        return Collection(self._database, kind)

    def save(self, run: Run) -> None:
        """Save the run as it is now; one that has ended may replace the oldest."""
        self._database.execute(
            "INSERT INTO runs (id, status, run) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET status = excluded.status, run = excluded.run",
            (run.id, run.status, run.model_dump_json()),
        )
        self._index.save(run)
        if run.status in ENDED and self._retention:
            self._retain(run, self._retention)

    def run(self, run_id: str) -> Run | None:
        """Return the run as it was saved last."""
        row = self._database.execute("SELECT run FROM runs WHERE id = ?", (run_id,)).fetchone()
        return Run.model_validate_json(row[0]) if row else None

    def find_runs(  # noqa: PLR0913 - the filters
        self,
        limit: int,
        offset: int,
        *,
        workflow_id: str | None = None,
        deployment_id: str | None = None,
        status: str | None = None,
        since: int | None = None,
    ) -> list[Run]:
        """Return a page of runs, newest first; ``since`` is the earliest creation in seconds since 1970."""
        rows = self._database.execute(
            "SELECT run FROM runs"
            " WHERE (:workflow_id IS NULL OR json_extract(run, '$.workflow_id') = :workflow_id)"
            " AND (:deployment_id IS NULL OR json_extract(run, '$.deployment_id') = :deployment_id)"
            " AND (:status IS NULL OR status = :status)"
            " AND (:since IS NULL OR CAST(strftime('%s', json_extract(run, '$.created_at')) AS INTEGER) >= :since)"
            " ORDER BY rowid DESC LIMIT :limit OFFSET :offset",
            {
                "workflow_id": workflow_id,
                "deployment_id": deployment_id,
                "status": status,
                "since": since,
                "limit": limit,
                "offset": offset,
            },
        )
        return [Run.model_validate_json(row[0]) for row in rows]

    def search(self, criteria: Criteria, limit: int, offset: int) -> list[Run]:
        """Return a page of the runs that meet the criteria, newest first."""
        return [Run.model_validate_json(document) for document in self._index.documents(criteria, limit, offset)]

    def statuses(self, criteria: Criteria) -> dict[str, int]:
        """Count the runs of each status that meet the other criteria."""
        return self._index.statuses(criteria)

    def queue_position(self, run: Run) -> int | None:
        """Count the runs that wait, up to and including this one."""
        if run.status != "not-started":
            return None
        counted: int = self._database.execute(
            "SELECT count(*) FROM runs WHERE status = ? AND rowid <= (SELECT rowid FROM runs WHERE id = ?)",
            (run.status, run.id),
        ).fetchone()[0]
        return counted

    def runs(self) -> list[Run]:
        """Return all runs, oldest first."""
        rows = self._database.execute("SELECT run FROM runs ORDER BY rowid")
        return [Run.model_validate_json(row[0]) for row in rows]

    def save_log(self, run_id: str, lines: list[LogLine]) -> None:
        """Save the log of a run that has ended."""
        self._database.execute("UPDATE runs SET log = ? WHERE id = ?", (_LINES.dump_json(lines).decode(), run_id))

    def log(self, run_id: str) -> list[LogLine]:
        """Return the log of a run, if it has been saved."""
        row = self._database.execute("SELECT log FROM runs WHERE id = ?", (run_id,)).fetchone()
        return _LINES.validate_json(row[0]) if row and row[0] else []

    def file(self, run_id: str, filename: str) -> Path:
        """Return the path of a file of a run; both names must be the server's own, never a client's."""
        return self._folder.path / "outputs" / run_id / filename

    def save_files(self, run_id: str, files: Mapping[str, bytes | Path]) -> None:
        """Save files of a run, by their plain names: bytes are written, a file elsewhere is moved."""
        for filename, content in files.items():
            path = self.file(run_id, filename)
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.move(content, path)
            else:
                path.write_bytes(content)

    def _reopen(self) -> None:
        for run in self.runs():
            self._index.save(run)
            if run.status not in ENDED:
                # The server that executed it has stopped; the workflow did not fail.
                self.save(run.changed(run.updated_at, status="cancelled"))
            elif self._retention:
                self._retain(run, self._retention)

    def _retain(self, run: Run, most: int) -> None:
        self._ended[run.id] = bool(run.files)
        if len(self._ended) <= most:
            return
        oldest = next(iter(self._ended))
        self._database.execute("DELETE FROM runs WHERE id = ?", (oldest,))
        self._index.remove(oldest)
        if self._ended.pop(oldest):
            shutil.rmtree(self._folder.path / "outputs" / oldest, ignore_errors=True)
