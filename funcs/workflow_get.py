"""Read a workflow: ``GET /workflow/{workflow_id}``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import at_least, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.workflow import WorkflowModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_workflow_workflow__workflow_id__get",
    route("GET", "/workflow/{workflow_id}", limit=at_least(1)),
    returning(WorkflowModel),
    creates="nothing",
)


def workflow_get(
    core: ComfyDeployCore, workflow_id: str, options: RequestOptions | None = None, *, limit: int = 1
) -> Result[WorkflowModel, Error]:
    """Return a workflow with its latest versions.

    It sends ``GET /workflow/{workflow_id}``. Each version has the whole graph.

    Args:
        core: The client: its key, its server and its connections.
        workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
        options: What is different for this call: timeout, retries, headers, deadline.
        limit: The number of versions, the latest first.

    Returns:
        ``Success`` with the workflow, or ``Failure``: an ``SDKError`` with status 404 for one that is unknown or not
        yours, with status 500 for an id that is not a UUID.
    """
    return call(core, OPERATION, {"workflow_id": workflow_id, "limit": limit}, options)


async def workflow_get_async(
    core: ComfyDeployCore, workflow_id: str, options: RequestOptions | None = None, *, limit: int = 1
) -> Result[WorkflowModel, Error]:
    """Return a workflow with its latest versions.

    The async version of ``workflow_get``, which has the details.
    """
    return await call_async(core, OPERATION, {"workflow_id": workflow_id, "limit": limit}, options)
