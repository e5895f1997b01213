"""The types of outcomes: checked by mypy and pyright, never run."""

from typing import assert_never, assert_type

from comfydeploy import Failure, Result, Success, errors, unwrap
from comfydeploy.errors import Error, Fate
from comfydeploy.models import WorkflowRunModel, WorkflowRunRow
from comfydeploy.outcome import (
    Cancelled,
    DeadlineExceeded,
    FailureKind,
    FailureSource,
    PollFailed,
    RunCancelled,
    RunEnd,
    RunFailed,
    RunTimedOut,
    WaitError,
    WatchItem,
    run_outcome,
)


def every_outcome(run: WorkflowRunModel) -> str:
    outcome = run_outcome(run)
    assert_type(outcome, Result[WorkflowRunModel, RunEnd] | None)
    match outcome:
        case None:
            return "not yet"
        case Success(ended):
            assert_type(ended, WorkflowRunModel)
            assert_type(ended.warning, str | None)
            return ended.id
        case Failure(end):
            return every_end(end)


def every_end(end: RunEnd) -> str:
    match end:
        case RunFailed(kind=kind, source=source):
            assert_type(kind, FailureKind)
            assert_type(source, FailureSource)
            assert_type(end.run, WorkflowRunModel | None)
            assert_type(end.run_id, str | None)
            assert_type(end.logs, tuple[str, ...])
            assert_type((end.node_id, end.node_type), tuple[str | None, str | None])
            assert_type((end.exception_type, end.exception_message), tuple[str | None, str | None])
            assert_type(end.traceback, str | None)
            return every_kind(kind)
        case RunCancelled(run=run, run_id=run_id):
            assert_type(run, WorkflowRunModel)
            return run_id
        case RunTimedOut(run=run, kind="unmarked"):
            assert_type(run, WorkflowRunModel)
            return end.run_id
        case RunTimedOut():
            return end.message
        case _:
            assert_never(end)


def every_kind(kind: FailureKind) -> str:
    match kind:
        case "node" | "refused" | "upload" | "unmarked":
            return "the graph"
        case "start" | "crashed":
            return "the machine"
        case "unknown":
            return "unknown"
        case _:
            assert_never(kind)


def every_wait(result: Result[WorkflowRunModel, WaitError]) -> str:
    match result:
        case Success(run):
            return run.id
        case Failure(error):
            return every_wait_error(error)


def every_wait_error(error: WaitError) -> str:
    match error:
        case RunFailed() | RunCancelled() | RunTimedOut():
            assert_type(error, RunEnd)
        case DeadlineExceeded(cancelled=cancelled):
            assert_type(cancelled, Cancelled)
            assert_type(error.run, WorkflowRunModel | None)
            assert_type(error.run_id, str)
        case (
            errors.SDKValidationError()
            | errors.InvalidRequestError()
            | errors.HTTPValidationError()
            | errors.SDKError()
            | errors.ConnectionError()
            | errors.RequestTimeoutError()
            | errors.RequestAbortedError()
            | errors.UnexpectedClientError()
        ):
            assert_type(error, Error)
        case _:
            assert_never(error)
    assert_type(error.fate, Fate)
    return error.message


def every_item(item: WatchItem) -> None:
    match item:
        case Success(run):
            assert_type(run.is_ended, bool)
        case Failure(PollFailed(error=error)):
            assert_type(error, Error)
        case Failure(error):
            assert_type(error.fate, Fate)


def unwrapped(result: Result[WorkflowRunModel, WaitError], row: WorkflowRunRow) -> None:
    assert_type(unwrap(result), WorkflowRunModel)
    assert_type((row.is_ended, row.is_success), tuple[bool, bool])
