"""Run and wait for the outputs: ``POST /run/sync``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import ANY_FORM, waiting
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = waiting("create_run_sync_run_sync_post", "/run/sync", *ANY_FORM)


def run_sync(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Create a run, wait for its end and return its outputs, newest first.

    An empty list may be a run that failed or timed out: the server answers the same, without a run id. Use
    ``run_queue_and_wait`` where the difference matters.

    It sends ``POST /run/sync``. A lost connection does not end the run: see ``fate`` of the error.

    Args:
        core: The client: its key, its server and its connections.
        request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
        options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.

    Returns:
        ``Success`` with the outputs, or ``Failure``.
    """
    return call(core, OPERATION, request, options)


async def run_sync_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Create a run, wait for its end and return its outputs, newest first.

    The async version of ``run_sync``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
