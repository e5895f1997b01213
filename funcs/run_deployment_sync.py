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
    """Create a run of a deployment, wait for its end and return its outputs, newest first.

    An empty list may be a run that failed or timed out: the server answers the same.

    It sends ``POST /run/deployment/sync``, and is otherwise as ``run_sync``, which takes all three forms of request.

    Args:
        core: The client: its key, its server and its connections.
        request: A ``DeploymentRunRequest``, or a mapping with the same keys: ``{"deployment_id": "...", "inputs":
            {...}}``.
        options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.

    Returns:
        ``Success`` with the outputs, or ``Failure``.
    """
    return call(core, OPERATION, request, options)


async def run_deployment_sync_async(
    core: ComfyDeployCore, request: DeploymentRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Create a run of a deployment, wait for its end and return its outputs, newest first.

    The async version of ``run_deployment_sync``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
