"""List the runs of a deployment: ``GET /deployment/{deployment_id}/runs``."""

from typing import Final

from comfydeploy._drivers.pages import PageCursor, pages, pages_async
from comfydeploy._wire.operation import Operation, hinting, returning_list, status
from comfydeploy._wire.route import at_least, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.paging import AsyncPages, Pages

_UNKNOWN: Final = status(500)
OPERATION: Final = Operation(
    "get_deployment_runs_deployment__deployment_id__runs_get",
    route("GET", "/deployment/{deployment_id}/runs", limit=at_least(1), offset=at_least(0)),
    returning_list(WorkflowRunRow, under="data"),
    creates="nothing",
    hint=hinting(
        "The deployment is most likely unknown or not yours: the server answers 500 in place of 404.", when=_UNKNOWN
    ),
    is_permanent=_UNKNOWN,
)


def deployment_runs(
    core: ComfyDeployCore,
    deployment_id: str,
    options: RequestOptions | None = None,
    *,
    limit: int = 50,
    offset: int = 0,
) -> Pages[WorkflowRunRow]:
    """Yield the runs of a deployment in small rows, page by page, newest first.

    A row has status and some times, but no inputs, outputs or progress.

    It sends ``GET /deployment/{deployment_id}/runs`` for each page, when the page is read. The service ignores a status
    here: ``workflow_runs`` filters by it, and by deployment.

    Args:
        core: The client: its key, its server and its connections.
        deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
        options: As for every call, for each page.
        limit: The number of rows of a page.
        offset: The number of rows to skip.

    Returns:
        An iterator of ``Success(rows)``; a ``Failure`` is the last item: for an unknown deployment an ``SDKError`` with
        status 500, whose ``hint`` says so. Its method ``rows()`` yields ``Success(row)`` for each row of all pages.
    """
    return pages(core, OPERATION, PageCursor({"deployment_id": deployment_id}, limit, offset), options)


def deployment_runs_async(
    core: ComfyDeployCore,
    deployment_id: str,
    options: RequestOptions | None = None,
    *,
    limit: int = 50,
    offset: int = 0,
) -> AsyncPages[WorkflowRunRow]:
    """Yield the runs of a deployment in small rows, page by page, newest first.

    The async version of ``deployment_runs``, which has the details; it is for ``async for``.
    """
    return pages_async(core, OPERATION, PageCursor({"deployment_id": deployment_id}, limit, offset), options)
