"""The runs of one place, and finding those that have ended in few pages of its lists.

A list is newest first. If the first page does not show all runs, the others are searched in the lists of ended
runs or in those of runs in progress, whichever had fewer pages; a few are read one by one.
"""

from collections.abc import Generator, Iterable
from datetime import datetime
from math import inf
from typing import Final, TypeAlias, TypeVar

from comfydeploy._mapping.followed import Followed
from comfydeploy._mapping.requests import FindWorkflow, ListRows
from comfydeploy._wire.polling import FIRST, is_transient, spread
from comfydeploy._wire.run_search import SearchScope
from comfydeploy._wire.steps import Answer
from comfydeploy._wire.timeline import READ_LIMIT
from comfydeploy.errors import Error
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.result import Result, Success

R = TypeVar("R")
Look: TypeAlias = Generator[ListRows | FindWorkflow, Answer, R]
Rows: TypeAlias = Result[list[WorkflowRunRow], Error]

PAGE: Final = 100
"""Rows of a page: the server's own number."""

FEW: Final = 8
"""So many runs that the first page does not show are read one by one: other lists take four requests or more."""

# In this order, so that a run that moves on while the lists are read is in a later one.
LIVING: Final = ("not-started", "queued", "started", "running", "uploading")
ENDED: Final = ("success", "failed", "timeout", "cancelled")

_OVERLAP: Final = 10  # rows of a page that the next one repeats: rows move up while runs leave a list
_SHORTEST: Final = 0.05
_GROWTH: Final = 1.5
_FAST: Final = 1.5
_SLOW: Final = 5.0
_QUIET: Final = 600.0
_MANY: Final = 0.25  # if this part of the runs ends between two searches, the searches are too rare
_BLIND: Final = 3  # failed searches, after which the runs are read one by one
_LONGEST: Final = 60.0  # the pause between failed searches, and the time for which a number of pages is kept
_VISIBLE: Final = 1.0  # seconds after which a new run is expected in its list


class Listing:
    """The runs of one place. ``due`` is the time of the next search, ``ended`` are the runs that seem to have ended."""

    def __init__(self, place: SearchScope) -> None:
        self.runs: dict[str, Followed] = {}
        self.ended: list[str] = []
        self.due = inf
        self._place = place
        self._workflow_id = place.workflow_id
        self._pause = FIRST
        self._changed_at = 0.0
        self._failures = 0
        self._found = 0  # ends that the current search has shown
        self._pages: dict[tuple[str, ...], tuple[float, float]] = {}  # of a kind of lists: their number, and when

    def add(self, run: Followed, now: float) -> None:
        """Follow a run."""
        if not self.runs:
            self._pause = min(self._pause, FIRST)
            self._changed_at = now
            self.due = max(now + self._pause, self.due if self._failures else now)
        self.runs[run.id] = run

    def look(self, now: float) -> Look[None]:
        """Search the lists once, and plan the next search."""
        known = dict(self.runs)
        self._found = 0
        last = yield from self._looked(known, now)
        result: Result[object, Error] = last.result
        problem = None if isinstance(result, Success) else result.failure()
        self._plan(problem, self._found / len(known), last)

    def _looked(self, known: dict[str, Followed], began: float) -> Look[Answer]:
        if self._workflow_id is None:
            answer = yield FindWorkflow(self._place)
            workflow: Result[str, Error] = answer.result
            if not isinstance(workflow, Success):
                return answer
            self._workflow_id = workflow.unwrap()
        left, since, limit = dict(known), _oldest(known.values()), min(2 * len(known) + 10, PAGE)
        answer = yield self._page(None, since, limit, 0)
        result: Rows = answer.result
        if not isinstance(result, Success):
            return answer
        if self._take(answer, left) >= limit and len(left) > FEW:
            return (yield from self._walk(left, since, began))
        self._miss(left, answer.now, began)
        return answer

    def _walk(self, left: dict[str, Followed], since: datetime | None, began: float) -> Look[Answer]:
        """Search for the runs in the lists of some statuses."""
        kind = self._kind(left, began)
        most, pages, offset = 2 * (len(kind) + len(left) // PAGE), 0, 0
        statuses = [*reversed(kind)]
        while True:
            answer = yield self._page(statuses[-1], since, PAGE, offset)
            result: Rows = answer.result
            if not isinstance(result, Success):
                return answer
            pages, offset = pages + 1, offset + PAGE - _OVERLAP
            if self._take(answer, left) < PAGE:
                statuses.pop()
                offset = 0
            if not statuses or pages > most:
                break
        self._pages[kind] = (inf if statuses else float(pages)), answer.now
        if statuses:
            self._miss(left, answer.now, began)
        elif kind is LIVING:
            self._miss({run.id: run for run in left.values() if not self._is_gone(run)}, answer.now, began)
        return answer

    def _is_gone(self, run: Followed) -> bool:
        """Check whether a run that is in no list of runs in progress seems to have ended, and record it."""
        is_gone = run.was_listed and run.status in LIVING and self.runs.get(run.id) is run
        if is_gone:
            self._end(run.id)
        return is_gone

    def _kind(self, left: dict[str, Followed], now: float) -> tuple[str, ...]:
        if any(run.status is None for run in left.values()):
            return LIVING  # they may be in progress, and no other list shows when they were created
        return min((ENDED, LIVING), key=lambda kind: self._expected(kind, len(left), now))

    def _expected(self, kind: tuple[str, ...], count: int, now: float) -> float:
        pages, at = self._pages.get(kind, (0.0, -inf))
        return pages if now - at < _LONGEST else len(kind) + (count // PAGE if kind is LIVING else 0)

    def _page(self, status: str | None, since: datetime | None, limit: int, offset: int) -> ListRows:
        workflow_id = self._workflow_id or ""
        return ListRows(workflow_id, self._place.deployment_id, status, since, limit, offset, READ_LIMIT)

    def _take(self, answer: Answer, left: dict[str, Followed]) -> int:
        """Keep the states of the runs on a page, remove these from ``left`` and return the number of rows."""
        result: Rows = answer.result
        rows = result.unwrap() if isinstance(result, Success) else []
        for row in rows:
            run = self.runs.get(row.id)
            if run is None or row.id in self.ended:
                continue
            left.pop(row.id, None)
            if run.status != row.status:
                run.status, self._changed_at = row.status, answer.now
            run.created = row.created_at or run.created
            run.listed(answer.now, answer.dice)
            if row.is_ended:
                self._end(row.id)
        return len(rows)

    def _end(self, run_id: str) -> None:
        self.ended.append(run_id)
        self._found += 1

    def _miss(self, left: dict[str, Followed], now: float, began: float) -> None:
        for run in left.values():
            if run.added <= began - _VISIBLE:
                run.missed(now)

    def _plan(self, problem: Error | None, share: float, answer: Answer) -> None:
        now = answer.now
        if problem is None:
            self._failures = 0
            if share >= _MANY:
                self._pause = max(self._pause / 2, _SHORTEST)
            elif not share:
                is_quiet = now - self._changed_at >= _QUIET
                self._pause = min(self._pause * _GROWTH, _SLOW if is_quiet else _FAST)
            self.due = now + spread(self._pause, answer.dice)
            return
        self._failures += 1
        if not is_transient(problem) or self._failures >= _BLIND:
            for run in self.runs.values():
                run.missed(now)
        pause = min(_FAST * 2**self._failures, _LONGEST) if is_transient(problem) else _LONGEST
        self.due = now + spread(pause, answer.dice)


def _oldest(runs: Iterable[Followed]) -> datetime | None:
    """Return the creation time of the oldest run with a known one: new runs are newer."""
    return min((run.created for run in runs if run.created is not None), default=None)
