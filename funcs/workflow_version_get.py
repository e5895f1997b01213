"""Read a version of a workflow: ``GET /workflow-version/{workflow_version_id}``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.workflow import WorkflowVersionModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_workflow_version_by_id_workflow_version__version__get",
    route("GET", "/workflow-version/{workflow_version_id}"),
    returning(WorkflowVersionModel),
    creates="nothing",
)


def workflow_version_get(
    core: ComfyDeployCore, workflow_version_id: str, options: RequestOptions | None = None
) -> Result[WorkflowVersionModel, Error]:
    """Return a version of a workflow with its graph.

    It sends ``GET /workflow-version/{workflow_version_id}``.

    Args:
        core: The client: its key, its server and its connections.
        workflow_version_id: The id of the version, which ``deployment_get`` and ``run_get`` return.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the version, or ``Failure``: an ``SDKError`` with status 404 for one that is unknown or not
        yours.
    """
    return call(core, OPERATION, {"workflow_version_id": workflow_version_id}, options)


async def workflow_version_get_async(
    core: ComfyDeployCore, workflow_version_id: str, options: RequestOptions | None = None
) -> Result[WorkflowVersionModel, Error]:
    """Return a version of a workflow with its graph.

    The async version of ``workflow_version_get``, which has the details.
    """
    return await call_async(core, OPERATION, {"workflow_version_id": workflow_version_id}, options)
