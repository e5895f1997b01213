"""List the runs of a workflow with their inputs and outputs: ``GET /workflow/{workflow_id}/runs``."""

from typing import Final

from comfydeploy._drivers.pages import PageCursor, pages, pages_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import FLAG, at_least, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.paging import AsyncPages, Pages

OPERATION: Final = Operation(
    "get_all_runs",
    route(
        "GET",
        "/workflow/{workflow_id}/runs",
        limit=at_least(1),
        offset=at_least(0),
        with_outputs=FLAG,
        with_inputs=FLAG,
    ),
    returning_list(WorkflowRunRow),
    creates="nothing",
)


def runs_list(
    core: ComfyDeployCore,
    workflow_id: str,
    options: RequestOptions | None = None,
    *,
    limit: int = 50,
    offset: int = 0,
    with_outputs: bool | None = None,
    with_inputs: bool | None = None,
) -> Pages[WorkflowRunRow]:
    """Yield the runs of a workflow with their inputs and outputs, page by page, newest first.

    The server sends an empty page for a workflow that is unknown or not yours.

    It sends ``GET /workflow/{workflow_id}/runs`` for each page, when the page is read. Each row embeds the whole graph.
    The output rows in ``raw["outputs"]`` have the reason of a failure. A row that cannot be read is in ``raw`` of its
    page only. ``workflow_runs`` lists smaller rows and can filter them.

    Args:
        core: The client: its key, its server and its connections.
        workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
        options: As for every call, for each page.
        limit: The number of rows of a page.
        offset: The number of rows to skip.
        with_outputs: ``False`` leaves out the outputs, which makes a page much smaller.
        with_inputs: ``False`` leaves out the inputs.

    Returns:
        An iterator of ``Success(rows)``; a ``Failure`` is the last item. Its method ``rows()`` yields ``Success(row)``
        for each row of all pages.
    """
    fixed = {"workflow_id": workflow_id, "with_outputs": with_outputs, "with_inputs": with_inputs}
    return pages(core, OPERATION, PageCursor(fixed, limit, offset), options)


def runs_list_async(
    core: ComfyDeployCore,
    workflow_id: str,
    options: RequestOptions | None = None,
    *,
    limit: int = 50,
    offset: int = 0,
    with_outputs: bool | None = None,
    with_inputs: bool | None = None,
) -> AsyncPages[WorkflowRunRow]:
    """Yield the runs of a workflow with their inputs and outputs, page by page, newest first.

    The async version of ``runs_list``, which has the details; it is for ``async for``.
    """
    fixed = {"workflow_id": workflow_id, "with_outputs": with_outputs, "with_inputs": with_inputs}
    return pages_async(core, OPERATION, PageCursor(fixed, limit, offset), options)
