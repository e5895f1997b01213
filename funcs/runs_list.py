"""List the runs of a workflow: ``GET /workflow/{workflow_id}/runs``."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

from comfydeploy._drivers.pages import PageCursor, pages, pages_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import at_least, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_all_runs",
    route("GET", "/workflow/{workflow_id}/runs", limit=at_least(1), offset=at_least(0)),
    returning_list(WorkflowRunRow),
    creates="nothing",
)


def runs_list(
    core: ComfyDeployCore, workflow_id: str, options: RequestOptions | None = None, *, limit: int = 50, offset: int = 0
) -> Iterator[Result[list[WorkflowRunRow], Error]]:
    """Yield the runs of a workflow page by page, newest first; a ``Failure`` is the last page.

    ``limit`` is the number of rows of a page, ``offset`` how many to pass over. A page is requested when it is read.
    The server sends an empty page, not an error, for a workflow that is unknown or of another user: then nothing is
    yielded. A row that cannot be read is left out of its page, and in ``raw`` of the page only.
    """
    return pages(core, OPERATION, PageCursor({"workflow_id": workflow_id}, limit, offset), options)


def runs_list_async(
    core: ComfyDeployCore, workflow_id: str, options: RequestOptions | None = None, *, limit: int = 50, offset: int = 0
) -> AsyncIterator[Result[list[WorkflowRunRow], Error]]:
    """Do what ``runs_list`` does, for ``async for``."""
    return pages_async(core, OPERATION, PageCursor({"workflow_id": workflow_id}, limit, offset), options)
