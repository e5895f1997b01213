"""The types of keys and inputs: checked by mypy and pyright, never run."""

from datetime import datetime
from pathlib import Path
from typing import Any, assert_never, assert_type

from comfydeploy import ComfyDeploy, ComfyDeployCore, Failure, Result, Success, errors
from comfydeploy.errors import Error
from comfydeploy.funcs.deployment_get import deployment_get
from comfydeploy.funcs.inputs_upload import inputs_upload
from comfydeploy.funcs.run_find import run_find, run_find_async
from comfydeploy.funcs.run_queue_once import run_queue_once, run_queue_once_async
from comfydeploy.inputs import inputs_check, keyed
from comfydeploy.models import (
    DeploymentModel,
    DeploymentRunRequest,
    FoundRuns,
    QueuedOnce,
    WorkflowRunRequest,
    WorkflowRunRow,
)


def keys_keep_the_form(deployment: DeploymentRunRequest, workflow: WorkflowRunRequest, mapping: dict[str, int]) -> None:
    assert_type(keyed(deployment, "k"), Result[DeploymentRunRequest, errors.SDKValidationError])
    assert_type(keyed(workflow, "k"), Result[WorkflowRunRequest, errors.SDKValidationError])
    assert_type(keyed(mapping, "k"), Result[dict[str, Any], errors.SDKValidationError])


def once(core: ComfyDeployCore, request: DeploymentRunRequest, since: datetime) -> str:
    cache: dict[str, str] = {}
    result = run_queue_once(core, request, "k", settle=30, since=since, cache=cache)
    assert_type(result, Result[QueuedOnce, Error])
    match result:
        case Success(QueuedOnce(run_id, found)):
            assert_type(found, bool)
            return run_id
        case Failure(error):
            assert_type(error, Error)
            return error.fate
        case _:
            assert_never(result)


def found(core: ComfyDeployCore) -> list[str]:
    match run_find(core, ["a", "b"], workflow_id="w"):
        case Success(FoundRuns(runs, listed)):
            assert_type(runs, list[WorkflowRunRow])
            assert_type(listed, bool)
            return [run.id for run in runs]
        case Failure(error):
            return [error.message]


def inputs(core: ComfyDeployCore) -> None:
    given = {"image": Path("a.png"), "seed": 3, "batch": [("b.png", b"")]}
    assert_type(inputs_upload(core, given), Result[dict[str, Any], Error])
    match deployment_get(core, "d"):
        case Success(deployment):
            assert_type(deployment, DeploymentModel)
            assert isinstance(inputs_check(deployment, given), Success)
        case Failure(error):
            assert_type(error, Error)


async def facade(client: ComfyDeploy, request: DeploymentRunRequest) -> None:
    assert_type(client.run.queue_once(request, "k"), QueuedOnce)
    assert_type(await client.run.find_async("k", deployment_id="d"), FoundRuns)
    assert_type(client.inputs.upload({"image": Path("a.png")}), dict[str, Any])
    assert_type(client.deployment.get("d"), DeploymentModel)
    assert_type(await run_find_async(client, "k", workflow_id="w"), Result[FoundRuns, Error])
    assert_type(await run_queue_once_async(client, request, "k"), Result[QueuedOnce, Error])
