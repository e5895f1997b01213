"""The follower of a run as a state machine. Times and random numbers are passed in.

A driver carries out ``step`` and passes the answer to ``feed``, until the step is ``Done``.
"""

from math import inf
from typing import Any, Final, Literal, TypeAlias

from comfydeploy._wire.polling import Pace, is_transient, requested_pause, spread
from comfydeploy._wire.reason_search import ReasonSearch, Steps
from comfydeploy._wire.steps import Answer, Cancel, Done, Emit, Poll, Sleep, Step
from comfydeploy.errors import Error, RequestAbortedError
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import (
    Cancelled,
    DeadlineExceeded,
    PollFailed,
    RunCancelled,
    RunFailed,
    RunTimedOut,
    WaitError,
    run_outcome,
)
from comfydeploy.result import Failure, Result, Success

OnAbandon: TypeAlias = Literal["leave", "cancel"]
_Result: TypeAlias = Result[WorkflowRunModel, WaitError]

_POLL_LIMIT: Final = 30.0
_WAITING: Final = frozenset({"not-started", "queued"})
# The last read before a deadline begins this many seconds before it, or a fifth of the time where that is less.
_RESERVE: Final = 0.5
_LEAST: Final = 0.1  # seconds for a read, also for the last one where none are left
# Cancelling and the read after it take 5 s in all.
_CANCEL_LIMIT: Final = 4.0
_CANCEL_BUDGET: Final = 5.0

_FATES: Final[dict[Cancelled, str]] = {
    "no": "It was left alone: it goes on and is billed",
    "yes": "It was cancelled",
    "unknown": "It was to be cancelled, which is not confirmed: it may go on and be billed",
}
_WAIT_ON: Final = "Wait on with run_wait, or cancel the run with run_cancel."


class Follower:
    """Follows one run until its end or the deadline.

    ``deadline`` is a monotonic time like ``now``. ``delay`` is the pause before the first poll: ``polling.FIRST`` after
    the request that created the run. ``failure`` ends the wait before it begins. ``step`` is what to do next, ``run``
    the last known state.
    """

    def __init__(  # noqa: PLR0913 - what one wait needs, by name
        self,
        run_id: str,
        *,
        now: float,
        deadline: float | None = None,
        on_abandon: OnAbandon = "leave",
        delay: float = 0.0,
        failure: Error | None = None,
    ) -> None:
        self.run: WorkflowRunModel | None = None
        self.run_id = run_id
        self._now = now
        self._on_abandon = on_abandon
        self._deadline = inf if deadline is None else deadline
        reserve = 0.0 if on_abandon == "cancel" else min(_RESERVE, max(self._deadline - now, 0.0) / 5)
        self._polls_end = self._deadline - reserve
        self._steps = _to_the_end(self._follow(delay) if failure is None else _failed(failure))
        self.step: Step = next(self._steps)

    @property
    def result(self) -> _Result | None:
        """The result of the wait, once it has ended."""
        return self.step.result if isinstance(self.step, Done) else None

    def feed(self, result: Any, now: float, dice: float) -> None:
        """Take the answer to the step: the result of a request or ``None``, the time, a random number from 0 to 1."""
        if not isinstance(self.step, Done):
            self._now = now
            self.step = self._steps.send(Answer(result, now, dice))

    def abandon(self, now: float) -> None:
        """End the wait early, as after Ctrl-C. With ``cancel`` the run is first cancelled and read once."""
        if not isinstance(self.step, Done):
            self._now = now
            self._steps = _to_the_end(self._abandoned())
            self.step = next(self._steps)

    def _follow(self, delay: float) -> Steps[_Result]:
        pace, pause = Pace(self._now), delay
        while self._now + pause < self._polls_end - _LEAST:
            if pause > 0:
                yield Sleep(pause)
            if self._now >= self._polls_end:  # a pause may end late
                break
            before = self.run
            limit = min(_POLL_LIMIT, self._polls_end - self._now)
            answer = yield Poll(self._is_waiting, limit)
            result: Result[WorkflowRunModel, Error] = answer.result
            end = self._taken(result)
            if end is not None:
                return (yield from self._explained(end))
            requested = 0.0
            if not isinstance(result, Success):
                error = result.failure()
                requested = requested_pause(error)
                yield Emit(Failure(PollFailed(error, run_id=self.run_id)))
            elif before is None or _shown(before) != _shown(result.unwrap()):
                yield Emit(result)
            pace = pace.next(self._now, has_changed=_status(before) not in (None, _status(self.run)))
            pause = max(spread(pace.pause, answer.dice), requested)
        return (yield from self._expired())

    def _expired(self) -> Steps[_Result]:
        if self._now < self._polls_end:
            yield Sleep(self._polls_end - self._now)
        cancelled: Cancelled = "no"
        if self._on_abandon == "cancel":
            end = yield from self._cancel()
            cancelled = "yes" if _is_cancelled(end) else "unknown"
        else:
            end = yield from self._read(max(self._deadline - self._now, _LEAST))
        if end is not None and cancelled != "yes":
            return end
        message = f"The deadline passed before run {self.run_id} ended. {_FATES[cancelled]}"
        if cancelled == "yes":
            return Failure(DeadlineExceeded(message, self.run_id, self.run, cancelled))
        message += f" (last status: {self.run.status})" if self.run else " (it was never read)"
        return Failure(DeadlineExceeded(message, self.run_id, self.run, cancelled, _WAIT_ON))

    def _abandoned(self) -> Steps[_Result]:
        end: _Result | None = run_outcome(self.run) if self.run else None
        if end is not None:
            return end
        if self._on_abandon == "cancel":
            end = yield from self._cancel()
            if end is not None:
                return end
        fate = _FATES["unknown" if self._on_abandon == "cancel" else "no"]
        return Failure(RequestAbortedError(f"The wait for run {self.run_id} was abandoned. {fate}", "answered"))

    def _cancel(self) -> Steps[_Result | None]:
        until = self._now + _CANCEL_BUDGET
        yield Cancel(_CANCEL_LIMIT)
        return (yield from self._read(max(until - self._now, _CANCEL_BUDGET - _CANCEL_LIMIT)))

    def _read(self, seconds: float) -> Steps[_Result | None]:
        """Read the run once more and return its end, or ``None`` where it has not ended or could not be read."""
        answer = yield Poll(self._is_waiting, seconds)
        return self._taken(answer.result)

    def _taken(self, result: Result[WorkflowRunModel, Error]) -> _Result | None:
        """Keep the state that a poll has read and return the end, or ``None`` where the wait goes on."""
        if isinstance(result, Success):
            self.run = result.unwrap()
            return run_outcome(self.run)
        error = result.failure()
        return None if is_transient(error) else Failure(error)

    def _explained(self, end: _Result) -> Steps[_Result]:
        error = None if isinstance(end, Success) else end.failure()
        if self.run is None or not isinstance(error, RunFailed | RunTimedOut):
            return end
        search = ReasonSearch(self.run, self._now, self._deadline)
        return Failure((yield from search.steps(error)))

    @property
    def _is_waiting(self) -> bool:
        return self.run is None or self.run.status in _WAITING


def _failed(error: Error) -> Steps[_Result]:
    yield from ()
    return Failure(error)


def _to_the_end(steps: Steps[_Result]) -> Steps[None]:
    yield Done((yield from steps))


def _status(run: WorkflowRunModel | None) -> str | None:
    return run.status if run else None


def _is_cancelled(end: _Result | None) -> bool:
    return isinstance(end, Failure) and isinstance(end.failure(), RunCancelled)


def _shown(run: WorkflowRunModel) -> tuple[Any, ...]:
    """Return the parts of a run whose change is reported. Addresses of files are not: each read signs them again."""
    outputs = [(output.id, output.updated_at, [file.filename for file in output.files]) for output in run.outputs]
    return run.status, run.progress, run.live_status, run.queue_position, outputs
