"""List the runs of a workflow in small rows, filtered: ``GET /v2/workflow/{workflow_id}/runs``."""

from datetime import datetime
from typing import Final

from comfydeploy._drivers.pages import PageCursor, pages, pages_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import MOMENT, TEXT, at_least, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.models.run import RunStatus
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.paging import AsyncPages, Pages

OPERATION: Final = Operation(
    "get_runs_v2",
    route(
        "GET",
        "/v2/workflow/{workflow_id}/runs",
        limit=at_least(1),
        offset=at_least(0),
        rf=MOMENT,
        status=TEXT,
        deployment_id=TEXT,
    ),
    returning(list[WorkflowRunRow]),
    creates="nothing",
)


def workflow_runs(
    core: ComfyDeployCore,
    workflow_id: str,
    options: RequestOptions | None = None,
    *,
    since: datetime | None = None,
    status: RunStatus | str | None = None,
    deployment_id: str | None = None,
    limit: int = 50,
) -> Pages[WorkflowRunRow]:
    """Yield the runs of a workflow in small rows, page by page, newest first.

    A row has status and times, but no inputs, outputs or progress.

    It sends ``GET /v2/workflow/{workflow_id}/runs`` for each page, when the page is read.

    Args:
        core: The client: its key, its server and its connections.
        workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
        options: As for every call, for each page.
        since: Only runs created at or after this aware time, in whole seconds.
        status: Only runs with this status.
        deployment_id: Only runs of this deployment.
        limit: The number of rows of a page.

    Returns:
        An iterator of ``Success(rows)``; a ``Failure`` is the last item: an ``SDKError`` with status 404 for an unknown
        workflow. Its method ``rows()`` yields ``Success(row)`` for each row of all pages.
    """
    fixed = {"workflow_id": workflow_id, "rf": since, "status": status, "deployment_id": deployment_id}
    return pages(core, OPERATION, PageCursor(fixed, limit, 0), options)


def workflow_runs_async(
    core: ComfyDeployCore,
    workflow_id: str,
    options: RequestOptions | None = None,
    *,
    since: datetime | None = None,
    status: RunStatus | str | None = None,
    deployment_id: str | None = None,
    limit: int = 50,
) -> AsyncPages[WorkflowRunRow]:
    """Yield the runs of a workflow in small rows, page by page, newest first.

    The async version of ``workflow_runs``, which has the details; it is for ``async for``.
    """
    fixed = {"workflow_id": workflow_id, "rf": since, "status": status, "deployment_id": deployment_id}
    return pages_async(core, OPERATION, PageCursor(fixed, limit, 0), options)
