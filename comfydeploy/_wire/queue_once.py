"""Queueing a run once for its key, as steps: search, send once, and search again where the response is lost."""

from datetime import timedelta
from math import inf
from typing import Any, Final

from attrs import evolve, frozen

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.fate import is_refused, with_fate
from comfydeploy._wire.input_files import Uploads, with_uploads
from comfydeploy._wire.keys import with_key
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.polling import Backoff, is_transient, requested_pause
from comfydeploy._wire.run_request import one_run
from comfydeploy._wire.run_search import Lists, RunSearch, SearchScope, check_id, checked_cache, checked_since
from comfydeploy._wire.timeline import Actions, Timeline
from comfydeploy.errors import Error
from comfydeploy.models.create_run import CreateRunResponse
from comfydeploy.models.found_runs import FoundRuns
from comfydeploy.models.queued_once import QueuedOnce
from comfydeploy.result import Failure, Result, Success

_MARGIN: Final = 60.0
"""The search for a lost run begins this many seconds before its request."""

# A deadline reserves this many seconds for a search after a lost response, or a fifth of the time where that is less.
_RESERVE: Final = 5.0
_LONGEST: Final = 200
_PLACES: Final = ("workflow_version_id", "workflow_id", "deployment_id")  # as the server distinguishes the forms


@frozen
class Sending:
    """The operations that send the request of a run, and an upload."""

    queue: Operation[object, CreateRunResponse]
    upload: Uploads


def queueing_with_files(
    timeline: Timeline, sending: Sending, request: object
) -> Actions[Result[CreateRunResponse, Error]]:
    """Upload the files of a request and queue its run."""
    wire = yield from with_uploads(timeline, sending.upload, one_run(request))
    if not isinstance(wire, Success):
        return wire
    return (yield from timeline.send(sending.queue, wire.unwrap(), retries=True))


def queueing_once(  # noqa: PLR0913 - what a caller may choose, by name
    timeline: Timeline,
    lists: Lists,
    sending: Sending,
    *,
    request: object,
    key: Any,
    settle: Any,
    since: object,
    cache: object,
) -> Actions[Result[QueuedOnce, Error]]:
    """Return the run with a key; queue it where there is none."""
    wire = one_run(with_key(request, key))
    if not isinstance(settle, int | float) or isinstance(settle, bool) or not 0 <= settle < inf:
        raise invalid_argument("settle", f"expected seconds not below 0, got {settle!r}"[:_LONGEST])
    started = checked_since(since)
    search = RunSearch(timeline, lists, (key,), checked_cache(cache))
    workflow = yield from search.workflow(_scope_of(wire), settle)
    if not isinstance(workflow, Success):
        return Failure(with_fate(workflow.failure(), "not_sent"))
    found = yield from search.runs(workflow.unwrap(), started, settle, is_first_enough=True)
    if not isinstance(found, Success):
        return Failure(with_fate(found.failure(), "not_sent", "The search for the run failed, so no run was created."))
    if found.unwrap().runs:
        return Success(_oldest(found.unwrap()))
    filled = yield from with_uploads(timeline, sending.upload, wire)
    if not isinstance(filled, Success):
        return filled
    return (yield from _Attempt(timeline, search, key, workflow.unwrap(), settle).steps(sending, filled.unwrap()))


class _Attempt:
    """The one request for a run, and the search for the run where its response is lost."""

    def __init__(self, timeline: Timeline, search: RunSearch, key: str, workflow_id: str, settle: float) -> None:
        self._timeline = timeline
        self._search = search
        self._key = key
        self._workflow_id = workflow_id
        self._settle = settle
        self._began = timeline.now
        # A request that takes all of its time leaves some for a search.
        self._ends_at = timeline.deadline - min(_RESERVE, (timeline.deadline - timeline.now) / 5)

    def steps(self, sending: Sending, wire: dict[str, Any]) -> Actions[Result[QueuedOnce, Error]]:
        """Send the request and return its run."""
        created = yield from self._timeline.send(sending.queue, wire, until=self._ends_at)
        if isinstance(created, Success):
            return Success(QueuedOnce(created.unwrap().run_id, found=False))
        error = created.failure()
        return created if is_refused(error) else (yield from self._search_again(error))

    def _search_again(self, lost: Error) -> Actions[Result[QueuedOnce, Error]]:
        """Search for the run until it has been missing for ``settle`` seconds."""
        timeline, lost_at, backoff, listed = self._timeline, self._timeline.now, Backoff(), False
        until = min(lost_at + self._settle, self._ends_at)
        while True:
            before_newest = timedelta(seconds=timeline.now - self._began + _MARGIN)
            result = yield from self._search.runs(self._workflow_id, before_newest, 0, is_first_enough=True)
            problem = None if isinstance(result, Success) else result.failure()
            if isinstance(result, Success):
                found = result.unwrap()
                if found.runs:
                    return Success(_oldest(found))
                listed = listed or found.listed
            if timeline.now >= until or (problem and not is_transient(problem)):
                hint = self._hint(timeline.now - lost_at, problem, listed=listed)
                return Failure(with_fate(evolve(lost, hint=hint), "unknown"))
            pause = max(backoff.next(timeline.dice), requested_pause(problem))
            yield from timeline.sleep(min(pause, until - timeline.now))

    def _hint(self, seconds: float, problem: Error | None, *, listed: bool) -> str:
        hint = (
            f"The run was not found within {seconds:.0f} s, which does not prove that it was not "
            f"created. Search again with run_find({self._key!r}, workflow_id={self._workflow_id!r}), or call "
            "run_queue_once with the same key again, which searches first."
        )
        if problem is not None:
            return f"{hint} The last search failed: {problem.message.removesuffix('.')}."
        return hint if listed else f"{hint} The list has no run at all: the workflow may not be yours."


def _scope_of(wire: dict[str, Any]) -> SearchScope:
    name = next(name for name in _PLACES if name in wire)
    check_id(f"request.{name}", wire[name])
    return SearchScope(**{name: wire[name]})


def _oldest(found: FoundRuns) -> QueuedOnce:
    return QueuedOnce(found.runs[0].id, found=True)
