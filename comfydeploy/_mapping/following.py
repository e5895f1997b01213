"""Following many runs with few requests. Times and random numbers are passed in.

A driver carries out what ``next`` returns and passes the result to ``feed``. The number of requests a second does not
depend on the number of runs.
"""

from typing import Any, NamedTuple

from comfydeploy._mapping.followed import Followed
from comfydeploy._mapping.listing import Listing, Look
from comfydeploy._mapping.requests import Action, Allowance, FindWorkflow, ListRows, ReadRun, Request
from comfydeploy._wire.polling import Backoff, is_transient, requested_pause
from comfydeploy._wire.run_search import SearchScope
from comfydeploy._wire.steps import Answer, Sleep
from comfydeploy._wire.timeline import READ_LIMIT
from comfydeploy.errors import Error
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.result import Result, Success


class _Looking(NamedTuple):
    """A search in the lists of a place that is in progress, and its next request."""

    listing: Listing
    steps: Look[None]
    request: ListRows | FindWorkflow


class Following:
    """Follows runs until they seem to have ended."""

    def __init__(self, now: float) -> None:
        self._runs: dict[str, tuple[Listing, Followed]] = {}
        self._listings: dict[SearchScope, Listing] = {}
        self._allowance = Allowance(now)
        self._backoff = Backoff()
        self._not_before = now
        self._looking: _Looking | None = None
        self._sent: Request | None = None

    def add(self, run_id: str, place: SearchScope, now: float) -> None:
        """Follow a run of a place, unless it is followed already."""
        if run_id in self._runs:
            return
        listing = self._listings.setdefault(place, Listing(place))
        run = Followed.new(run_id, now)
        listing.add(run, now)
        self._runs[run_id] = listing, run

    def drop(self, run_id: str) -> None:
        """Stop following a run."""
        if run_id in self._runs:
            listing, _ = self._runs.pop(run_id)
            del listing.runs[run_id]

    def next(self, now: float) -> Action | None:
        """Return the next step, or ``None`` where no run is followed. A new run may shorten a pause."""
        if self._looking is not None and not self._looking.listing.runs:
            self._looking = None
        if not self._runs:
            return None
        listing = min((one for one in self._listings.values() if one.runs), key=lambda one: one.due)
        listed_at = listing.due if self._looking is None else now
        _, run = min(self._runs.values(), key=lambda followed: followed[1].look_at)
        wait = max(min(listed_at, run.look_at), self._not_before, now + self._allowance.wait(now)) - now
        if wait > 0:
            return Sleep(wait)
        self._allowance.take(now)
        is_read = listed_at > now or (run.look_at <= now and not isinstance(self._sent, ReadRun))
        self._sent = ReadRun(run.id, READ_LIMIT) if is_read else self._listed(listing, now)
        return self._sent

    def feed(self, result: Any, now: float, dice: float) -> list[str]:
        """Take the result of the request that ``next`` returned; return the runs that seem to have ended.

        They are not followed any more. Read each, and add those again that have not ended.
        """
        answer: Result[Any, Error] = result
        problem = None if isinstance(answer, Success) else answer.failure()
        if problem is None:
            self._backoff = Backoff()
        elif is_transient(problem):
            self._not_before = now + max(self._backoff.next(dice), requested_pause(problem))
        ended: list[str] = []
        if isinstance(self._sent, ReadRun):
            ended = self._read(self._sent.run_id, answer, now, dice)
        elif self._looking is not None:
            ended = self._looked(self._looking, Answer(answer, now, dice))
        self._allowance.grant(len(ended))
        return ended

    def _listed(self, listing: Listing, now: float) -> Request:
        if self._looking is None:
            steps = listing.look(now)
            self._looking = _Looking(listing, steps, next(steps))
        return self._looking.request

    def _looked(self, looking: _Looking, answer: Answer) -> list[str]:
        try:
            self._looking = looking._replace(request=looking.steps.send(answer))
        except StopIteration:
            self._looking = None
        ended, looking.listing.ended = looking.listing.ended, []
        for run_id in ended:
            self.drop(run_id)
        return ended

    def _read(self, run_id: str, result: Result[WorkflowRunModel, Error], now: float, dice: float) -> list[str]:
        if run_id not in self._runs:  # it was dropped in the meantime
            return []
        _, run = self._runs[run_id]
        if not isinstance(result, Success):
            error = result.failure()
            if is_transient(error):
                run.read(now, dice, requested_pause(error))
                return []
        elif not result.unwrap().is_ended:
            run.status, run.created = result.unwrap().status, result.unwrap().created_at
            run.read(now, dice)
            return []
        self.drop(run_id)
        return [run_id]
