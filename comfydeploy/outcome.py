"""The outcome of a run: the run where it has succeeded, otherwise an error of a closed set.

``run_outcome`` reads it from the result of ``run_get``, which has no reason of a failure. ``run_wait`` looks the
reason up. All classes are also exceptions; ``fate`` is ``"answered"``, because the server has the run.
"""

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, final

from attrs import Factory, field, frozen

from comfydeploy.errors import ComfyDeployError, Error, Fate
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from pathlib import Path

    from comfydeploy.models.output_file import OutputFile

__all__ = [
    "Cancelled",
    "DeadlineExceeded",
    "DownloadIncomplete",
    "FailureKind",
    "FailureSource",
    "PollFailed",
    "RunCancelled",
    "RunEnd",
    "RunFailed",
    "RunTimedOut",
    "WaitError",
    "WatchItem",
    "run_outcome",
]

FailureKind: TypeAlias = Literal["node", "refused", "start", "crashed", "upload", "unmarked", "unknown"]
FailureSource: TypeAlias = Literal["stream", "row", "logs", "guess"]
Cancelled: TypeAlias = Literal["yes", "no", "unknown"]

_EXECUTING: Final = "Executing "
_UNMARKED: Final = "Its results are in run.outputs, if there are any. To avoid this, add a node that saves a file."


@final
@frozen(repr=False)
class RunFailed(ComfyDeployError):  # noqa: N818 - the end of a run
    """The run has failed: ``message`` is one sentence, as ``KSampler (node 5): ValueError: ...``.

    ``kind``: a ``node`` raised; the graph was ``refused``; the machine could not ``start`` it; ComfyUI ``crashed``;
    the ``upload`` of outputs failed; or ``unknown``. ``source`` is where the reason was found: the ``stream``, the
    ``row`` of the run, its ``logs``, or nowhere (``guess``; the message says so). For a refused graph ``node_id`` and
    ``node_type`` name the first node, ``message`` all of them. ``run`` has the outputs that exist; it is ``None``
    where only a stream was read.
    """

    message: str
    run: WorkflowRunModel | None = field(repr=False)
    run_id: str | None
    kind: FailureKind = "unknown"
    node_id: str | None = None
    node_type: str | None = None
    exception_type: str | None = None
    exception_message: str | None = field(default=None, repr=False)
    traceback: str | None = field(default=None, repr=False)
    logs: tuple[str, ...] = field(default=(), repr=False)
    source: FailureSource = "guess"
    hint: str | None = None
    fate: Fate = field(default="answered", init=False)


@final
@frozen(repr=False)
class RunCancelled(ComfyDeployError):  # noqa: N818 - the end of a run
    """The run was cancelled. ``run`` has the outputs that exist."""

    message: str
    run: WorkflowRunModel = field(repr=False)
    run_id: str  # pyright: ignore[reportIncompatibleVariableOverride] - frozen
    hint: str | None = None
    fate: Fate = field(default="answered", init=False)


@final
@frozen(repr=False)
class RunTimedOut(ComfyDeployError):  # noqa: N818 - the end of a run
    """The time limit of the machine passed, or the server received nothing of the run for 24 hours.

    ``kind`` is ``unmarked`` for a run that had finished: the server does not mark a run without uploads as a success.
    It is ``start`` for a run that never began, otherwise ``unknown``. ``source`` is where this was found.
    """

    message: str
    run: WorkflowRunModel = field(repr=False)
    run_id: str  # pyright: ignore[reportIncompatibleVariableOverride] - frozen
    kind: FailureKind = "unknown"
    source: FailureSource = "guess"
    hint: str | None = None
    fate: Fate = field(default="answered", init=False)


@final
@frozen(repr=False)
class DeadlineExceeded(ComfyDeployError):  # noqa: N818 - the end of a wait
    """The deadline of a wait passed before the run ended. ``run`` is its last known state, if it was read.

    ``cancelled`` is ``no`` where the run was not cancelled: it goes on and is billed. After a cancellation it is
    ``yes`` if the last read confirms it, otherwise ``unknown``.
    """

    message: str
    run_id: str  # pyright: ignore[reportIncompatibleVariableOverride] - frozen
    run: WorkflowRunModel | None = field(repr=False)
    cancelled: Cancelled
    hint: str | None = None
    fate: Fate = field(default="answered", init=False)


@final
@frozen(repr=False)
class PollFailed(ComfyDeployError):  # noqa: N818 - an item of a watch, not its end
    """A poll failed with ``error`` and is repeated: the watch goes on. ``fate`` is that of the poll."""

    error: Error
    hint: str | None = None
    run_id: str | None = None
    message: str = field(
        init=False,
        repr=False,
        default=Factory(lambda self: f"A poll failed and is tried again: {self.error.message}", takes_self=True),
    )
    fate: Fate = field(init=False, default=Factory(lambda self: self.error.fate, takes_self=True))


@final
@frozen(repr=False)
class DownloadIncomplete(ComfyDeployError):  # noqa: N818 - the end of a download
    """Some files of a run were not saved: ``missing`` has each with its error, ``saved`` the paths of the rest."""

    message: str
    run_id: str  # pyright: ignore[reportIncompatibleVariableOverride] - frozen
    saved: "tuple[Path, ...]"
    missing: "tuple[tuple[OutputFile, Error], ...]"
    hint: str | None = None
    fate: Fate = field(default="answered", init=False)


RunEnd: TypeAlias = RunFailed | RunCancelled | RunTimedOut
WaitError: TypeAlias = RunEnd | DeadlineExceeded | Error
WatchItem: TypeAlias = Result[WorkflowRunModel, WaitError | PollFailed]


def run_outcome(run: WorkflowRunModel) -> Result[WorkflowRunModel, RunEnd] | None:
    """Return ``Success`` for a run that has succeeded, ``Failure`` for another end, ``None`` for a run in progress.

    An unknown status is not an end, unless ``ended_at`` is set: then the run has failed. A success may have no
    outputs (``run.warning``). The reason of a failure is not in ``run``: ``run_wait`` looks it up.
    """
    if not run.is_ended:
        return None
    match run.status:
        case "success":
            return Success(run)
        case "cancelled":
            node = node_at_work(run)
            place = f"at {node}" if node else "before its first node"
            return Failure(RunCancelled(f"The run was cancelled {place}", run, run.id))
        case "timeout":
            return Failure(_timed_out(run))
        case "failed":
            return Failure(RunFailed(_failed(run), run, run.id))
        case status:
            reason = f"The run ended with the status {status!r}, which this version does not know"
            return Failure(RunFailed(reason, run, run.id))


def node_at_work(run: WorkflowRunModel) -> str | None:
    """Return the class of the node that the run executed last, if its live status names it."""
    status = run.live_status or ""
    return status.removeprefix(_EXECUTING).strip() or None if status.startswith(_EXECUTING) else None


def unmarked(run: WorkflowRunModel, source: FailureSource) -> RunTimedOut:
    """Return the end of a run that had finished and was never marked as a success."""
    reason = "Every node was executed, but the server never marked the run as a success: nothing had to be uploaded"
    if source == "guess":
        reason = "The run has outputs, but the server never marked it as a success (a guess: it may be incomplete)"
    return RunTimedOut(reason, run, run.id, "unmarked", source, _UNMARKED)


def _timed_out(run: WorkflowRunModel) -> RunTimedOut:
    if any(output.data for output in run.outputs):
        return unmarked(run, "guess")
    node = node_at_work(run)
    if node:
        reason = f"{node}: was executing when the time limit of the machine passed (a guess from the last live status)"
        return RunTimedOut(reason, run, run.id)
    if run.started_at is None:
        reason = "The machine did not start the run within its time limit (a guess: the run has no start time)"
        return RunTimedOut(reason, run, run.id, "start")
    return RunTimedOut("The time limit of the machine passed (a guess: the server keeps no reason)", run, run.id)


def _failed(run: WorkflowRunModel) -> str:
    node = node_at_work(run)
    place = f"at {node}" if node else "before a node was reported"
    return f"The run failed {place} (a guess from its last live status: this response has no reason)"
