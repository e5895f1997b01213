"""The types of maps: checked by mypy and pyright, never run."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, assert_never, assert_type

from comfydeploy import ComfyDeploy, ComfyDeployCore, Failure, Result, Success
from comfydeploy.errors import (
    ConnectionError,
    Error,
    HTTPValidationError,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    SDKError,
    SDKValidationError,
    UnexpectedClientError,
)
from comfydeploy.funcs.map_step import map_step, map_step_async
from comfydeploy.funcs.run_map import AsyncRunMap, RunMap, run_map, run_map_async
from comfydeploy.mapping import Job, JobHeld, JobUnresolved, MapError, MapItem, MapStep, MaxRunsReached, grid
from comfydeploy.models import DeploymentRunRequest, WorkflowRunModel
from comfydeploy.outcome import DeadlineExceeded, DownloadIncomplete, RunCancelled, RunFailed, RunTimedOut


def described(item: MapItem) -> str:
    match item.result:
        case Success(run):
            assert_type(run, WorkflowRunModel)
            return run.id
        case Failure(error):
            assert_type(error, MapError)
            return why(error)
        case _:
            assert_never(item.result)


def why(error: MapError) -> str:
    match error:
        case RunFailed() | RunCancelled() | RunTimedOut() | DeadlineExceeded():
            return error.run_id or ""
        case DownloadIncomplete(missing=missing):
            return missing[0][0].filename
        case JobUnresolved(key=key):
            return key
        case SDKValidationError() | InvalidRequestError() | HTTPValidationError() | SDKError():
            return error.message
        case ConnectionError() | RequestTimeoutError() | RequestAbortedError() | UnexpectedClientError():
            return error.fate
        case _:
            assert_never(error)


def blocking(core: ComfyDeployCore, request: DeploymentRunRequest) -> list[Path]:
    jobs = grid({"deployment_id": "d"}, {"seed": range(3)})
    assert_type(jobs, Sequence[dict[str, Any]])
    items = run_map(core, [Job("a", request), request, {"deployment_id": "d"}], journal=Path("j"), to="out")
    assert_type(items, RunMap)
    with items as entered:
        assert_type(entered, RunMap)
        for item in entered.in_order():
            assert_type(item.result, Result[WorkflowRunModel, MapError])
            return item.saved
    return []


async def awaited(core: ComfyDeployCore) -> str:
    items = run_map_async(core, grid({"deployment_id": "d"}, {"seed": range(3)}))
    assert_type(items, AsyncRunMap)
    async with items:
        async for item in items:
            return described(item)
        async for item in items.in_order():
            return described(item)
    return ""


def step(core: ComfyDeployCore, request: DeploymentRunRequest) -> str:
    result = map_step(core, Path("j"), "k", request=request, to="out")
    assert_type(result, Result[MapStep, Error])
    match result:
        case Success(MapItem() as item):
            return described(item)
        case Success(other):
            return stepped(other)
        case Failure(error):
            assert_type(error, Error)
            return error.message
        case _:
            assert_never(result)


def stepped(step: MapStep) -> str:
    match step:
        case MapItem():
            return described(step)
        case JobHeld(key=key):
            return key
        case MaxRunsReached(key=key):
            return key
        case _:
            assert_never(step)


async def awaited_step(core: ComfyDeployCore) -> str:
    result = await map_step_async(core, "j", "k")
    assert_type(result, Result[MapStep, Error])
    return stepped(result.unwrap()) if isinstance(result, Success) else result.failure().message


def in_processes(core: ComfyDeployCore) -> list[MapItem]:
    with ProcessPoolExecutor() as pool, run_map(core, [{"deployment_id": "d"}], journal="j", executor=pool) as items:
        assert_type(items, RunMap)
        return list(items)


def raising(client: ComfyDeploy) -> str:
    assert_type(client.map.step("j", "k"), MapStep)
    return stepped(client.map.step("j", "k"))
