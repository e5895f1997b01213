"""List the runs of a workflow with their inputs and outputs: ``GET /workflow/{workflow_id}/runs``."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

from comfydeploy._drivers.pages import PageCursor, pages, pages_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import FLAG, at_least, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

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
) -> Iterator[Result[list[WorkflowRunRow], Error]]:
    """Yield the runs of a workflow page by page, newest first; a ``Failure`` is the last page.

    ``limit`` is the number of rows of a page, ``offset`` the number of rows to skip. A page is requested when it is
    wanted. Each row embeds the whole graph; ``with_outputs=False`` leaves out the outputs, which makes a page much
    smaller. The output rows in ``raw["outputs"]`` hold the reason of a failure. The server sends an empty page for a
    workflow that is unknown or not yours. ``workflow_runs`` lists smaller rows and can filter them.
    A row that cannot be read is left out of its page, and in ``raw`` of the page only.
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
) -> AsyncIterator[Result[list[WorkflowRunRow], Error]]:
    """Do what ``runs_list`` does, for ``async for``."""
    fixed = {"workflow_id": workflow_id, "with_outputs": with_outputs, "with_inputs": with_inputs}
    return pages_async(core, OPERATION, PageCursor(fixed, limit, offset), options)
