"""The search for the reason of a run that has failed or timed out, as steps.

The row of the run comes first (5 s). A failed run without a reason in its row is looked up in the log archive, which
is written 5 to 8 s after the end (each second, 10 s). Otherwise the reason is a guess.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from comfydeploy._wire.failure import guessed, has_node_times, row_reason, run_failed
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.log_archive import archive_lines, archive_reason
from comfydeploy._wire.log_marks import END
from comfydeploy._wire.polling import is_transient, requested_pause
from comfydeploy._wire.steps import Answer, ReadLogs, ReadNewerRows, ReadRows, Sleep, Step
from comfydeploy.models.document import Documents
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_log import RunLog
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.outcome import RunEnd, RunFailed, RunTimedOut, node_at_work, unmarked
from comfydeploy.result import Result, Success

R = TypeVar("R")
Steps: TypeAlias = Generator[Step, Answer, R]

_ROW_BUDGET: Final = 5.0
_LOGS_BUDGET: Final = 10.0
_LOGS_PAUSE: Final = 1.0
_ROW_PAUSE: Final = 0.25  # the row may appear 0.2 s after the status
_NEWEST: Final = 5  # every row embeds the whole graph
_PAGE: Final = 100
_PAGES: Final = 20
_TRIES: Final = 3  # new runs move the index of a run while it is looked up
_LINES_KEPT: Final = 200


class ReasonSearch:
    """The search for one run, which ends at ``until`` at the latest."""

    def __init__(self, run: WorkflowRunModel, now: float, until: float) -> None:
        self._run = run
        self._now = now
        self._until = until

    def steps(self, end: RunEnd) -> Steps[RunEnd]:
        """Return the end with its reason, if it is found."""
        if isinstance(end, RunTimedOut):
            outputs = yield from self._outputs()
            return unmarked(self._run, "row") if has_node_times(outputs) else end
        if isinstance(end, RunFailed):
            return (yield from self._failed(end))
        return end

    def _failed(self, end: RunFailed) -> Steps[RunEnd]:
        outputs = yield from self._outputs()
        reason = row_reason(outputs)
        if outputs is not None and reason is None and (yield from self._sleep(_ROW_PAUSE, self._until)):
            outputs = yield from self._outputs()
            reason = row_reason(outputs)
        if reason:
            return run_failed(reason, "row", self._run)
        lines = yield from self._archive()
        reason = archive_reason(lines, node_at_work(self._run))
        if reason:
            return run_failed(reason, "logs", self._run, logs=lines[-_LINES_KEPT:])
        if outputs is None or self._run.status != "failed":  # the row is not found, or the status is unknown
            return end
        return run_failed(guessed(self._run), "guess", self._run, logs=lines[-_LINES_KEPT:])

    def _outputs(self) -> Steps[Any]:
        """Return the output rows of the run, or ``None`` where its row cannot be found."""
        workflow_id = self._run.workflow_id
        if workflow_id is None:
            return None
        until = min(self._now + _ROW_BUDGET, self._until)
        offset, limit = 0, _NEWEST
        for _ in range(_TRIES):
            rows = yield from self._rows(partial(ReadRows, workflow_id, limit, offset), until)
            row = next((row for row in rows or () if row.id == self._run.id), None)
            if row is not None:
                return row.raw.get("outputs") or []
            index = None if rows is None else (yield from self._index(workflow_id, until))
            if index is None:
                break
            offset, limit = index, 1
        return None

    def _index(self, workflow_id: str, until: float) -> Steps[int | None]:
        """Return how many runs of the workflow are newer than the run."""
        since = self._run.created_at
        if since is None:
            return None
        index = 0
        for _ in range(_PAGES):
            rows = yield from self._rows(partial(ReadNewerRows, workflow_id, since, _PAGE, index), until)
            for row in rows or ():
                if row.id == self._run.id:
                    return index
                index += 1
            if not rows or len(rows) < _PAGE:
                break
        return None

    def _rows(self, reading: Callable[[float], Step], until: float) -> Steps[list[WorkflowRunRow] | None]:
        """Return a page of rows, or ``None`` where it cannot be read in time. ``reading`` is its step without a time."""
        while self._now < until:
            result: Result[list[WorkflowRunRow], Any] = yield from self._request(reading(until - self._now))
            if isinstance(result, Success):
                return result.unwrap()
            error = result.failure()
            pause = max(_ROW_PAUSE, requested_pause(error))
            if not is_transient(error) or not (yield from self._sleep(pause, until)):
                break
        return None

    def _archive(self) -> Steps[list[str]]:
        """Return the lines of the archive once they have a reason or are complete, otherwise those of the last read."""
        until = min(self._now + _LOGS_BUDGET, self._until)
        lines: list[str] = []
        before: list[str] = []
        while self._now < until:
            next_at = self._now + _LOGS_PAUSE
            result: Result[list[RunLog], Any] = yield from self._request(ReadLogs(until - self._now))
            if isinstance(result, Success):
                texts = [line.log for line in result.unwrap()]
                lines = archive_lines(texts, self._run.id)
                # The end mark is sometimes written before other lines, so the same archive must be read twice.
                if archive_reason(lines) or (texts == before and _has_end(result.unwrap())):
                    break
                before = texts
            elif is_transient(result.failure()):
                next_at = max(next_at, self._now + requested_pause(result.failure()))
            else:
                break
            if not (yield from self._sleep(next_at - self._now, until)):
                break
        return lines

    def _request(self, step: Step) -> Steps[Any]:
        answer = yield step
        self._now = answer.now
        return answer.result

    def _sleep(self, seconds: float, until: float) -> Steps[bool]:
        """Wait and return ``True``; return ``False`` at once where no time would be left."""
        is_left = self._now + seconds < until
        if is_left and seconds > 0:
            yield from self._request(Sleep(seconds))
        return is_left


def _has_end(entries: list[RunLog]) -> bool:
    """Check whether an archive has its end mark, which the list does not have but for what the server sent."""
    sent: Sequence[Any] = entries.raw if isinstance(entries, Documents) else [entry.raw for entry in entries]
    texts = [row.get("log") for row in sent if is_object(row)]
    return any(isinstance(text, str) and text.strip() == END for text in texts)
