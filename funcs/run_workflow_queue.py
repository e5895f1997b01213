"""Queue a run of a whole graph: ``POST /run/workflow/queue``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import queueing
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.create_run import CreateRunResponse
from comfydeploy.models.run_request import WorkflowRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = queueing("queue_workflow_run_run_workflow_queue_post", "/run/workflow/queue", WorkflowRunRequest)


def run_workflow_queue(
    core: ComfyDeployCore, request: WorkflowRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[CreateRunResponse, Error]:
    """Create a run of a whole graph and return its id, without waiting for it.

    A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of the
    error before you send the request again.

    It sends ``POST /run/workflow/queue``, and is otherwise as ``run_queue``, which takes all three forms of request.

    Args:
        core: The client: its key, its server and its connections.
        request: A ``WorkflowRunRequest``, or a mapping with the same keys: ``workflow_id``, ``workflow_api_json``,
            ``inputs``.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with ``run_id``, or ``Failure``.
    """
    return call(core, OPERATION, request, options)


async def run_workflow_queue_async(
    core: ComfyDeployCore, request: WorkflowRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[CreateRunResponse, Error]:
    """Create a run of a whole graph and return its id, without waiting for it.

    The async version of ``run_workflow_queue``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
