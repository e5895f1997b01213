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
    """Give the state of a run and its outputs so far.

    ``queue_position`` asks for the place of a waiting run in its queue as well. A run that is not yours is an
    ``SDKError`` with status 403, an unknown one 404, an id that is no UUID an ``HTTPValidationError``.
    """
    return call(core, OPERATION, {"run_id": run_id, "queue_position": queue_position or None}, options)


async def run_get_async(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None, *, queue_position: bool = False
) -> Result[WorkflowRunModel, Error]:
    """Do what ``run_get`` does, awaited."""
    return await call_async(core, OPERATION, {"run_id": run_id, "queue_position": queue_position or None}, options)
