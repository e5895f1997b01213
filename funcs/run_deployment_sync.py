"""Run a deployment and wait for the outputs: ``POST /run/deployment/sync``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import waiting
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import DeploymentRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = waiting("sync_deployment_run_run_deployment_sync_post", "/run/deployment/sync", DeploymentRunRequest)


def run_deployment_sync(
    core: ComfyDeployCore, request: DeploymentRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Run a deployment and give its outputs, newest first; as ``run_sync``, which takes all three forms."""
    return call(core, OPERATION, request, options)


async def run_deployment_sync_async(
    core: ComfyDeployCore, request: DeploymentRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Do what ``run_deployment_sync`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
