"""Queue a run of a deployment: ``POST /run/deployment/queue``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import queueing
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.create_run import CreateRunResponse
from comfydeploy.models.run_request import DeploymentRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = queueing(
    "queue_deployment_run_run_deployment_queue_post", "/run/deployment/queue", DeploymentRunRequest
)


def run_deployment_queue(
    core: ComfyDeployCore, request: DeploymentRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[CreateRunResponse, Error]:
    """Create a run of a deployment and give its id; as ``run_queue``, which takes all three forms."""
    return call(core, OPERATION, request, options)


async def run_deployment_queue_async(
    core: ComfyDeployCore, request: DeploymentRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[CreateRunResponse, Error]:
    """Do what ``run_deployment_queue`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
