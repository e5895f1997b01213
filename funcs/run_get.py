"""Read a run: ``GET /run/{run_id}``."""

from typing import Final

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.request import Request, query, segment
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


def encode(argument: tuple[str, bool]) -> Request:
    """Ask for a run, with its place in the queue if that is wanted."""
    run_id, queue_position = argument
    return Request("GET", f"/run/{segment(run_id, 'run_id')}{query({'queue_position': queue_position or None})}")


OPERATION: Final = Operation("get_run_run__run_id__get", encode, returning(WorkflowRunModel))


def run_get(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None, *, queue_position: bool = False
) -> Result[WorkflowRunModel, Error]:
    """Give the state of a run and its outputs so far.

    ``queue_position`` asks for the place of a waiting run in its queue as well. A run that is not yours is an
    ``SDKError`` with status 403, an unknown one 404, an id that is no UUID an ``HTTPValidationError``.
    """
    return call(core, OPERATION, (run_id, queue_position), options)


async def run_get_async(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None, *, queue_position: bool = False
) -> Result[WorkflowRunModel, Error]:
    """Do what ``run_get`` does, awaited."""
    return await call_async(core, OPERATION, (run_id, queue_position), options)
