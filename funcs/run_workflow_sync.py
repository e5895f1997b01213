"""Run a whole graph and wait for the outputs: ``POST /run/workflow/sync``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import waiting
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import WorkflowRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = waiting("sync_workflow_run_run_workflow_sync_post", "/run/workflow/sync", WorkflowRunRequest)


def run_workflow_sync(
    core: ComfyDeployCore, request: WorkflowRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Create a run of a whole graph, wait for its end and return its outputs, newest first.

    An empty list may be a run that failed or timed out: the server answers the same.

    It sends ``POST /run/workflow/sync``, and is otherwise as ``run_sync``, which takes all three forms of request.

    Args:
        core: The client: its key, its server and its connections.
        request: A ``WorkflowRunRequest``, or a mapping with the same keys: ``workflow_id``, ``workflow_api_json``,
            ``inputs``.
        options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.

    Returns:
        ``Success`` with the outputs, or ``Failure``.
    """
    return call(core, OPERATION, request, options)


async def run_workflow_sync_async(
    core: ComfyDeployCore, request: WorkflowRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Create a run of a whole graph, wait for its end and return its outputs, newest first.

    The async version of ``run_workflow_sync``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
