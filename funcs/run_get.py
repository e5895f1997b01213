"""Read a run: ``GET /run/{run_id}``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import FLAG, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_run_run__run_id__get",
    route("GET", "/run/{run_id}", queue_position=FLAG),
    returning(WorkflowRunModel),
    creates="nothing",
)


def run_get(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None, *, queue_position: bool = False
) -> Result[WorkflowRunModel, Error]:
    """Return the state of a run and its outputs so far.

    It sends ``GET /run/{run_id}``. The addresses of private files are signed and hold for about an hour; each call
    returns fresh ones. The answer has no reason of a failure: ``run_wait`` looks it up.

    Args:
        core: The client: its key, its server and its connections.
        run_id: The id of the run, a UUID.
        options: What is different for this call: timeout, retries, headers, deadline.
        queue_position: Also return the position of a waiting run in its queue.

    Returns:
        ``Success`` with the run, or ``Failure``: an ``SDKError`` with status 403 for a run that is not yours and 404
        for an unknown one, an ``HTTPValidationError`` for an id that is no UUID.
    """
    return call(core, OPERATION, {"run_id": run_id, "queue_position": queue_position or None}, options)


async def run_get_async(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None, *, queue_position: bool = False
) -> Result[WorkflowRunModel, Error]:
    """Return the state of a run and its outputs so far.

    The async version of ``run_get``, which has the details.
    """
    return await call_async(core, OPERATION, {"run_id": run_id, "queue_position": queue_position or None}, options)
