"""The types of waiting: checked by mypy and pyright, never run."""

from typing import assert_never, assert_type

from returns.result import Result as OpenResult

from comfydeploy import ComfyDeploy, ComfyDeployCore, Failure, RequestOptions, Result, Success, closed, errors, opened
from comfydeploy.errors import Error, Fate
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait, run_queue_and_wait_async
from comfydeploy.funcs.run_wait import run_wait, run_wait_async
from comfydeploy.funcs.run_watch import run_watch, run_watch_async
from comfydeploy.models import DeploymentRunRequest, WorkflowRunModel
from comfydeploy.outcome import (
    DeadlineExceeded,
    PollFailed,
    RunCancelled,
    RunFailed,
    RunTimedOut,
    WaitError,
    WatchItem,
)
from comfydeploy.streaming import AsyncRunWatch, RunWatch

Waited = Result[WorkflowRunModel, WaitError]
REQUEST = DeploymentRunRequest(deployment_id="d")


def waited(core: ComfyDeployCore) -> str:
    result = run_wait(core, "r", RequestOptions(deadline=5), on_update=lambda run: run.progress)
    assert_type(result, Waited)
    match result:
        case Success(run):
            assert_type(run, WorkflowRunModel)
            return run.status
        case Failure(error):
            return every_error(error)


def queued_and_waited(core: ComfyDeployCore) -> str:
    ids: list[str] = []
    result = run_queue_and_wait(core, REQUEST, on_queued=ids.append, on_abandon="cancel")
    match result:
        case Success(run):
            return run.id
        case Failure(RunFailed(node_type=node_type, message=message)):
            assert_type(node_type, str | None)
            return message
        case Failure(error):
            assert_type(error.run_id, str | None)
            return every_error(error)


def every_error(error: WaitError) -> str:
    """Narrow the error in a separate match: ``case Failure(RunFailed())`` does not narrow the union of the others."""
    match error:
        case RunFailed():
            return error.kind
        case RunCancelled() | RunTimedOut():
            assert_type(error.run, WorkflowRunModel)
            return error.run_id
        case DeadlineExceeded():
            return error.cancelled
        case errors.SDKError() | errors.HTTPValidationError():
            return str(error.status_code)
        case (
            errors.SDKValidationError()
            | errors.InvalidRequestError()
            | errors.ConnectionError()
            | errors.RequestTimeoutError()
            | errors.RequestAbortedError()
            | errors.UnexpectedClientError()
        ):
            assert_type(error.fate, Fate)
            return error.fate
        case _:
            assert_never(error)


async def awaited(core: ComfyDeployCore) -> None:
    assert_type(await run_wait_async(core, "r", on_abandon="leave"), Waited)
    assert_type(await run_queue_and_wait_async(core, {"deployment_id": "d"}), Waited)


def watched(core: ComfyDeployCore) -> str:
    watch = run_watch(core, "r")
    assert_type(watch, RunWatch)
    assert_type(watch.run_id, str)
    assert_type(watch.run, WorkflowRunModel | None)
    assert_type(watch.result, Waited | None)
    with watch:
        for item in watch:
            assert_type(item, WatchItem)
            every_item(item)
    match watch.result:
        case None:
            return "not yet"
        case Success(run):
            return run.id
        case Failure(error):
            return every_error(error)


def every_item(item: WatchItem) -> str:
    match item:
        case Success(run):
            return run.status
        case Failure(error):
            match error:
                case PollFailed():
                    assert_type(error.error, Error)
                    return error.message
                case _:
                    assert_type(error, WaitError)
                    return every_error(error)


async def watched_async(core: ComfyDeployCore) -> None:
    async with run_watch_async(core, "r") as watch:
        assert_type(watch, AsyncRunWatch)
        async for item in watch:
            assert_type(item, WatchItem)


def piped(core: ComfyDeployCore) -> str:
    pipeline = opened(run_wait(core, "r")).map(lambda run: run.status)
    assert_type(pipeline, OpenResult[str, WaitError])
    result = closed(pipeline.alt(str))
    assert_type(result, Result[str, str])
    match result:
        case Success(text) | Failure(text):
            return text


def raising(client: ComfyDeploy) -> None:
    assert_type(client.run.wait("r", on_update=print), WorkflowRunModel)
    assert_type(client.run.queue_and_wait(REQUEST, on_queued=print), WorkflowRunModel)
    for run in client.run.watch("r"):
        assert_type(run, WorkflowRunModel)


async def raising_async(client: ComfyDeploy) -> None:
    assert_type(await client.run.wait_async("r"), WorkflowRunModel)
    assert_type(await client.run.queue_and_wait_async(REQUEST), WorkflowRunModel)
    async for run in client.run.watch_async("r"):
        assert_type(run, WorkflowRunModel)
