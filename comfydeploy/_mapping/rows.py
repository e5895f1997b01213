"""The row of a job in a journal, and the steps that change it, as values.

Each step but ``Claim`` and ``Reopen`` changes the row of its own claim only: ``changed`` returns ``None`` where another
owner has it. The run, its files and an error, which a journal also stores, are not part of the protocol.
"""

from typing import Any, Final, Literal, NamedTuple, TypeAlias

from attrs import evolve, field, frozen

State: TypeAlias = Literal["new", "trying", "created", "ended", "done"]


@frozen
class Row:
    """The row of a job in a journal.

    ``new``: it has no run. ``trying``: it is claimed and its run is unknown; there is no run without ``tried_at``,
    which is set before the request is sent. ``created``: ``run_id`` is the run of this ``attempt``. ``ended``: the run
    has succeeded and its files are not saved yet. ``done``: nothing is left to do. ``owner`` is the token of the claim
    that holds the row until the wall-clock time ``lease``. ``since`` is a time of the server before the request.
    """

    id: int
    key: str
    state: State = "new"
    attempt: int = 1
    owner: str | None = None
    lease: float = 0.0
    tried_at: float | None = None
    since: str | None = None
    run_id: str | None = None
    run: Any = field(default=None, repr=False)
    error: Any = field(default=None, repr=False)
    files: tuple[str, ...] | None = None


class Claim(NamedTuple):
    """Claim a row without a living owner, if it is unchanged. The answer is the row, or ``None``. Durable."""

    id: int
    owner: str
    lease: float
    seen_owner: str | None
    seen_lease: float


class Reopen(NamedTuple):
    """Claim a row that is done: for another attempt, or for its files. The answer is the row, or ``None``. Durable."""

    id: int
    owner: str
    lease: float
    state: State
    attempt: int


class Try(NamedTuple):
    """Record that the request is about to be sent. Durable. The answer is ``"spent"`` where ``max_runs`` is reached."""

    id: int
    owner: str
    at: float
    lease: float
    since: str | None
    max_runs: int | None


class Unsend(NamedTuple):
    """Record that the request was not sent, for an attempt that was never in doubt."""

    id: int
    owner: str


class Record(NamedTuple):
    """Store the id of the run."""

    id: int
    owner: str
    run_id: str


class Again(NamedTuple):
    """Begin another attempt after a run that has failed."""

    id: int
    owner: str


class End(NamedTuple):
    """Store a run that has succeeded and whose files are to be saved."""

    id: int
    owner: str
    run: Any


class Finish(NamedTuple):
    """Store the result of the job."""

    id: int
    owner: str
    run: Any
    error: Any
    files: tuple[str, ...] | None


class Release(NamedTuple):
    """Leave a row that is not done to the next owner."""

    id: int
    owner: str


Step: TypeAlias = Claim | Reopen | Try | Unsend | Record | Again | End | Finish | Release

DURABLE: Final = (Claim, Reopen, Try)
"""The steps that must be durable before anything else is done."""


class Answer(NamedTuple):
    """The answer to a step, the row where it has changed, and by how many runs the count of the journal changes."""

    value: Any
    row: Row | None = None
    runs: int = 0


def answered(row: Row, step: Step, spent: int) -> Answer:
    """Return the answer to a step in a journal that has ``spent`` runs."""
    after = changed(row, step)
    if after is None:
        return Answer("lost" if isinstance(step, Try) else None)
    if isinstance(step, Try):
        is_first = row.tried_at is None
        if is_first and step.max_runs is not None and spent >= step.max_runs:
            return Answer("spent")
        return Answer("tried", after, int(is_first))
    return Answer(after, after, -int(isinstance(step, Unsend) and row.tried_at is not None))


def changed(row: Row, step: Step) -> Row | None:
    """Return the row after a step, or ``None`` where the step does not apply to it."""
    if isinstance(step, Claim):
        is_as_seen = (row.owner, row.lease) == (step.seen_owner, step.seen_lease)
        state: State = "trying" if row.state == "new" else row.state
        is_taken = is_as_seen and row.state != "done"
        return evolve(row, owner=step.owner, lease=step.lease, state=state) if is_taken else None
    if isinstance(step, Reopen):
        if row.state != "done":
            return None
        taken = evolve(row, owner=step.owner, lease=step.lease, state=step.state, error=None)
        is_same = step.attempt == row.attempt
        return taken if is_same else evolve(taken, attempt=step.attempt, tried_at=None, run_id=None)
    return _changed_own(row, step) if row.owner == step.owner and row.state != "done" else None


def _changed_own(  # noqa: PLR0911 - one for each step
    row: Row, step: Try | Unsend | Record | Again | End | Finish | Release
) -> Row | None:
    match step:
        case Try(_, _, at, lease, since, _):
            tried = evolve(row, tried_at=at, lease=lease, since=since)
            return tried if row.state == "trying" else None
        case Unsend():
            return evolve(row, tried_at=None) if row.state == "trying" else None
        case Record(_, _, run_id):
            return evolve(row, state="created", run_id=run_id) if row.state == "trying" else None
        case Again():
            again = evolve(row, state="trying", attempt=row.attempt + 1, tried_at=None, run_id=None)
            return again if row.state == "created" else None
        case End(_, _, run):
            return evolve(row, state="ended", run=run)
        case Finish(_, _, run, error, files):
            return evolve(row, state="done", owner=None, lease=0.0, run=run, error=error, files=files)
        case _:
            is_new = row.state == "trying" and row.tried_at is None
            return evolve(row, owner=None, lease=0.0, state="new" if is_new else row.state)
