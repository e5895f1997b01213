"""The types of results: checked by mypy and pyright, never run."""

from pathlib import Path
from typing import IO, assert_never, assert_type

from comfydeploy import ComfyDeploy, ComfyDeployCore, Failure, Result, Success, errors, opened, unwrap
from comfydeploy.errors import Error, Fate, StreamError
from comfydeploy.funcs.file_download import file_download
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_get_run_run_run_id_get import run_get_run_run_run_id_get
from comfydeploy.funcs.run_queue import run_queue, run_queue_async
from comfydeploy.funcs.run_stream import run_stream, run_stream_async
from comfydeploy.funcs.run_sync import run_sync, run_sync_async
from comfydeploy.models import (
    CreateRunResponse,
    DeploymentRunRequest,
    EventUpdateEvent,
    LogUpdateEvent,
    MediaFile,
    MediaItem,
    RunRequest,
    RunStream,
    UnknownEvent,
    WorkflowRunModel,
    WorkflowRunOutputModel,
)
from comfydeploy.streaming import AsyncEventStream, EventStream

core = ComfyDeployCore(bearer="k")
client = ComfyDeploy(bearer=lambda: "k")
request: RunRequest = DeploymentRunRequest(deployment_id="d", inputs={"prompt": "x", "n": [1, {"a": None}]})


async def token() -> str:
    return "k"


ComfyDeployCore(bearer=token)

assert_type(run_get(core, "r"), Result[WorkflowRunModel, Error])
assert_type(run_get_run_run_run_id_get(core, "r"), Result[WorkflowRunModel, Error])
assert_type(run_queue(core, request), Result[CreateRunResponse, Error])
assert_type(run_sync(core, {"deployment_id": "d"}), Result[list[WorkflowRunOutputModel], Error])
assert_type(run_stream(core, request), Result[EventStream, Error])
assert_type(unwrap(run_queue(core, request)), CreateRunResponse)
assert_type(opened(run_get(core, "r")).map(lambda run: run.id).value_or("none"), str)

assert_type(client.run.get("r"), WorkflowRunModel)
assert_type(client.run.get_run_run_run_id_get("r"), WorkflowRunModel)
assert_type(client.run.queue({"deployment_id": "d"}), CreateRunResponse)
assert_type(client.run.sync(request), list[WorkflowRunOutputModel])


def every_error(error: Error) -> Fate:
    match error:
        case errors.SDKValidationError(problems=problems):
            assert_type(problems, tuple[errors.Problem, ...])
        case errors.InvalidRequestError():
            assert_type(error.message, str)
        case errors.HTTPValidationError(detail=detail):
            assert_type([issue.loc for issue in detail], list[list[str | int]])
        case errors.SDKError():
            assert_type(error.status_code, int)
            assert_type(error.detail, str | None)
        case (
            errors.ConnectionError()
            | errors.RequestTimeoutError()
            | errors.RequestAbortedError()
            | errors.UnexpectedClientError()
        ):
            assert_type(error.fate, Fate)
        case _:
            assert_never(error)
    return error.fate


def every_result(result: Result[CreateRunResponse, Error]) -> str:
    match result:
        case Success(created):
            assert_type(created, CreateRunResponse)
            return created.run_id
        case Failure(errors.HTTPValidationError(detail=detail)):
            return str(detail)
        case Failure(error):
            return str(error)


def every_item(item: Result[RunStream, StreamError]) -> None:
    match item:
        case Success(event):
            assert_type(event, RunStream)
            every_event(event)
        case Failure(errors.MalformedEvent(raw=raw)):
            assert_type(raw, str)
        case Failure(error):
            assert_type(error.fate, Fate)


def every_event(event: RunStream) -> None:
    match event:
        case EventUpdateEvent(data=update):
            assert_type(update.event, str | None)
        case LogUpdateEvent(data=line):
            assert_type(line.logs, str)
        case UnknownEvent():
            assert_type(event.event, str)
        case _:
            assert_never(event)


def outputs(run: WorkflowRunModel) -> list[str]:
    found = [item.url for output in run.outputs for item in output.files]
    for output in run.outputs:
        assert_type(output.files, list[MediaItem])
    return found


def streams(stream: EventStream) -> None:
    with stream as same:
        assert_type(same, EventStream)
        assert_type(same.run_id, str | None)
        for item in same:
            every_item(item)
    for event in client.run.stream(request):
        assert_type(event, RunStream)


async def awaited(stream: AsyncEventStream) -> None:
    assert_type(await run_get_async(core, "r"), Result[WorkflowRunModel, Error])
    assert_type(await run_queue_async(core, request), Result[CreateRunResponse, Error])
    assert_type(await run_sync_async(core, request), Result[list[WorkflowRunOutputModel], Error])
    assert_type(await run_stream_async(core, request), Result[AsyncEventStream, Error])
    assert_type(await client.run.queue_async(request), CreateRunResponse)
    async with stream as same:
        async for item in same:
            every_item(item)
    async for event in await client.run.stream_async(request):
        assert_type(event, RunStream)


def downloads(core: ComfyDeployCore, run: WorkflowRunModel, file: IO[bytes]) -> None:
    for item in run.files:
        assert_type(file_download(core, item), Result[MediaFile, Error])
        assert_type(file_download(core, item, to="cat.png"), Result[Path, Error])
        assert_type(file_download(core, item, to=file), Result[IO[bytes], Error])
