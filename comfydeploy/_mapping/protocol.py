"""The protocol of one job, from its claim to its end, as a function over values: at most one run an attempt.

``begin`` returns the position of a claimed job, and ``Position.next`` the one after the answer to its ``action``. It
has no clock, no dice and no I/O. All times are of a monotonic clock, but for leases and ``tried_at``: no decision about
sending depends on these.

The promise: at most one run for each attempt if every request executes and becomes visible within longest POST + grace
after it was sent, or never; with ``resend="never"`` at most one run without any assumption, and jobs in doubt end as
``JobUnresolved``.
"""

from math import inf
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from comfydeploy._mapping.actions import (
    Action,
    Ended,
    Fetch,
    Follow,
    Leave,
    Look,
    Pause,
    Post,
    Prepare,
    Sighting,
    Terms,
    Turn,
)
from comfydeploy._mapping.rows import Again, End, Finish, Record, Release, Reopen, Row, Try, Unsend
from comfydeploy._wire import fate
from comfydeploy._wire.polling import FIRST, is_transient, requested_pause, spread
from comfydeploy.errors import (
    ConnectionError,
    Error,
    RequestTimeoutError,
)
from comfydeploy.mapping import JobUnresolved, MapError
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import RunCancelled, RunFailed, RunTimedOut, WaitError
from comfydeploy.result import Failure, Result, Success

LEASE: Final = 60.0
"""Seconds after which a claim that is not renewed has ended, if it is unknown whether its owner is alive."""

_GROWTH: Final = 1.5
_SLOWEST: Final = 15.0  # seconds between two searches for the run of a job in doubt
_PATIENCE: Final = 60.0  # seconds in which failed searches are repeated
_FETCHES: Final = 3
_NOT_LISTED: Final = (
    "The list has no run of this map, so it proves nothing: one more job shows whether the list works. "
    "If it is certain that no run was created, a new journal begins anew. "
)
_TOO_MANY: Final = 429


@frozen
class Position:
    """The state of a claimed job, and its next action.

    ``began`` is the time of the claim, ``ready_at`` that from which the request could be sent. Absence of the run is
    certain from ``certain_at`` on. ``is_doubtful``: a response of this attempt was lost, here or in another process.
    """

    row: Row
    terms: Terms
    began: float
    deadline: float
    action: Action
    is_doubtful: bool = False
    ready_at: float = 0.0
    certain_at: float = inf
    pause: float = FIRST
    fetches: int = 0
    result: Ended | None = None
    saved: tuple[Path, ...] = ()

    def next(  # noqa: PLR0911 - one for each action
        self, answer: Any, now: float, dice: float, wall: float, since: str | None = None
    ) -> "Position":
        """Return the position after the answer to the action.

        ``wall`` is the time of the wall clock, for the journal, ``since`` the latest time of the server that is known.
        """
        match self.action:
            case Pause(_, then):
                return self._at(then._replace(began=now) if isinstance(then, Look) else then)
            case Prepare():
                return self._at(Turn(), ready_at=now) if isinstance(answer, Success) else self._left(answer)
            case Turn():
                return self._turned(now, wall, since, has_turn=answer)
            case Try():
                return self._tried(answer, now)
            case Post():
                return self._posted(answer, now, dice)
            case Look(began):
                return self._looked(answer, began, now, dice)
            case Follow():
                return self._followed(answer)
            case Fetch(run):
                return self._fetched(run, answer, now, dice)
            case Leave():
                return self
            case _:
                return self._stored() if answer else self._at(Leave(None, is_lost=True))

    def _at(self, action: Action, **changes: Any) -> "Position":
        return evolve(self, action=action, **changes)

    def _left(self, result: Ended | None, **changes: Any) -> "Position":
        """Leave the job to the next owner, with this result for now."""
        return self._at(Release(self.row.id, self._owner), result=result, **changes)

    @property
    def _owner(self) -> str:
        return self.row.owner or ""

    def _turned(self, now: float, wall: float, since: str | None, *, has_turn: bool) -> "Position":
        if not has_turn:
            return self._left(None)
        if now >= self.deadline:
            late = f"The deadline of {self.deadline - self.began:g} s passed before the run was created"
            return self._left(Failure(RequestTimeoutError(late, "not_sent")))
        since = since if self.row.tried_at is None else self.row.since
        return self._at(Try(self.row.id, self._owner, wall, wall + LEASE, since, self.terms.max_runs))

    def _tried(self, answer: Any, now: float) -> "Position":
        if answer == "spent":
            failed = None if self.result is None else self.result.failure()  # the end of the attempt before
            last = evolve(self.row, attempt=self.row.attempt - 1, run_id=failed.run_id) if failed else self.row
            return self._left(self.result, row=last)
        if answer != "tried":
            return self._at(Leave(None, is_lost=True))
        tried: Any = self.action
        row = evolve(self.row, tried_at=tried.at, lease=tried.lease, since=tried.since)
        # At a time, not after some seconds: a process that is stopped before it sends the request sends it no more.
        until = min(now + self.terms.post_limit, self.deadline)
        certain_at = now + self.terms.longest_post + self.terms.grace
        return self._at(Post(until), row=row, certain_at=certain_at)

    def _posted(self, answer: Result[str, Error], now: float, dice: float) -> "Position":
        if isinstance(answer, Success):
            return self._at(Record(self.row.id, self._owner, answer.unwrap()))
        error = answer.failure()
        is_unsent = error.fate == "not_sent"
        if not (is_unsent or is_refused(error)):
            # A client of the caller's may have taken longer than its limit.
            certain_at = max(self.certain_at, now + self.terms.grace)
            pause = Pause(spread(FIRST, dice), Look(now))
            return self._at(pause, is_doubtful=True, certain_at=certain_at, pause=FIRST)
        if self.is_doubtful:  # an earlier request may still have created a run: the row keeps its ``tried_at``
            return self._left(Failure(error))
        is_repeated = is_unsent and isinstance(error, ConnectionError | RequestTimeoutError)
        patience = min(self.deadline, self.ready_at + self.terms.post_limit)
        result: Ended | None = None if is_repeated and now + self.pause < patience else Failure(error)
        return self._at(Unsend(self.row.id, self._owner), result=result)

    def _looked(self, answer: Result[Sighting, Error], began: float, now: float, dice: float) -> "Position":
        error = None
        if isinstance(answer, Success):
            sighting = answer.unwrap()
            if sighting.run_ids:
                return self._at(Record(self.row.id, self._owner, sighting.run_ids[0]))
            if began >= self.certain_at:
                if sighting.shown and self.terms.resend == "after_grace":
                    return self._at(Prepare(), pause=FIRST)
                return self._unresolved("" if sighting.shown else _NOT_LISTED)
        else:
            error = answer.failure()
        is_hopeless = error is not None and (not is_transient(error) or now >= self.certain_at + _PATIENCE)
        if is_hopeless or now >= self.deadline:
            return self._unresolved(f"The last search failed: {error.message.removesuffix('.')}. " if error else "")
        pause = max(spread(self.pause, dice), requested_pause(error) if error else 0.0)
        if began < self.certain_at:
            pause = max(min(pause, self.certain_at - now), 0.0)
        longer = min(self.pause * _GROWTH, _SLOWEST)
        return self._at(Pause(min(pause, max(self.deadline - now, 0.0)), Look(now)), pause=longer)

    def _unresolved(self, reason: str) -> "Position":
        message = f"The run of job {self.row.key!r} was not found, which does not prove that it was not created"
        hint = f"{reason}Start the map with the same journal again, which searches again before it sends anything."
        return self._left(Failure(JobUnresolved(message, self.row.key, hint)))

    def _followed(self, answer: Result[WorkflowRunModel, WaitError]) -> "Position":
        row, owner = self.row, self._owner
        if isinstance(answer, Success):
            run = answer.unwrap()
            if self.terms.saves:
                return self._at(End(row.id, owner, run))
            return self._at(Finish(row.id, owner, run, None, row.files), result=answer)
        error = answer.failure()
        if not isinstance(error, RunFailed | RunCancelled | RunTimedOut):
            return self._left(Failure(error))
        if isinstance(error, RunFailed) and row.attempt < self.terms.attempts and row.state == "created":
            return self._at(Again(row.id, owner), result=Failure(error))
        return self._at(Finish(row.id, owner, error.run, error, None), result=Failure(error))

    def _fetched(
        self, run: WorkflowRunModel, answer: Result[list[Path], MapError], now: float, dice: float
    ) -> "Position":
        if isinstance(answer, Success):
            paths: tuple[Path, ...] = tuple(answer.unwrap())
            return self._at(
                Finish(self.row.id, self._owner, run, None, tuple(map(str, paths))), result=Success(run), saved=paths
            )
        pause = spread(self.pause, dice)
        if self.fetches + 1 < _FETCHES and now + pause < self.deadline:
            return self._at(Pause(pause, Fetch(run)), fetches=self.fetches + 1, pause=self.pause * _GROWTH)
        return self._left(answer)

    def _stored(self) -> "Position":
        """Return the position after a step of the journal that has changed the row."""
        step: Any = self.action
        match step:
            case Record(_, _, run_id):
                row = evolve(self.row, state="created", run_id=run_id)
                return self._at(Follow(run_id), row=row, is_doubtful=False, certain_at=inf, pause=FIRST)
            case Unsend():
                row = evolve(self.row, tried_at=None)
                if self.result is not None:
                    return self._left(self.result, row=row)
                longer = min(self.pause * _GROWTH, _SLOWEST)
                return self._at(Pause(self.pause, Turn()), row=row, certain_at=inf, pause=longer)
            case Again():
                attempt = self.row.attempt + 1
                row = evolve(self.row, state="trying", attempt=attempt, tried_at=None, run_id=None)
                return self._at(Prepare(), row=row)
            case End(_, _, run):
                return self._at(Fetch(run), row=evolve(self.row, state="ended"))
            case _:  # it is finished or released
                return self._at(Leave(self.result))


def begin(row: Row, terms: Terms, now: float, deadline: float = inf) -> Position:
    """Return the position of a job that was claimed now: it continues where another owner has left it."""
    if row.state in ("created", "ended") and row.run_id is not None:
        return Position(row, terms, now, deadline, Follow(row.run_id))
    if row.tried_at is None:
        return Position(row, terms, now, deadline, Prepare())
    certain_at = now + terms.longest_post + terms.grace
    return Position(row, terms, now, deadline, Look(now), is_doubtful=True, certain_at=certain_at)


def is_free(row: Row, *, is_alive: bool | None, wall: float) -> bool:
    """Check whether a row may be claimed.

    ``is_alive`` says whether its owner is alive, ``None`` where that is not known: then the lease decides.
    """
    if row.state == "done" or row.owner is None:
        return row.state != "done"
    return row.lease < wall if is_alive is None else not is_alive


def reopening(row: Row, error: Any, terms: Terms, owner: str, lease: float) -> Reopen | None:
    """Return the step that reopens a job that is done: for its files, or for another attempt after a failed run."""
    if error is None:
        needs_files = terms.saves and row.files is None
        return Reopen(row.id, owner, lease, "ended", row.attempt) if needs_files else None
    is_repeated = isinstance(error, RunFailed) and row.attempt < terms.attempts
    return Reopen(row.id, owner, lease, "trying", row.attempt + 1) if is_repeated else None


def is_refused(error: Error) -> bool:
    """Check whether a response proves that no run was created. A 429 of a proxy may be sent too late."""
    return fate.is_refused(error) and getattr(error, "status_code", None) != _TOO_MANY
