"""List the runs of a workflow: ``GET /workflow/{workflow_id}/runs``."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.request import Request, query, segment
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result, Success


def encode(argument: tuple[str, int, int]) -> Request:
    """Ask for a page."""
    workflow_id, limit, offset = argument
    where = query({"limit": limit, "offset": offset})
    return Request("GET", f"/workflow/{segment(workflow_id, 'workflow_id')}/runs{where}")


OPERATION: Final = Operation("get_all_runs", encode, returning(list[WorkflowRunRow]))


def runs_list(
    core: ComfyDeployCore, workflow_id: str, options: RequestOptions | None = None, *, limit: int = 50, offset: int = 0
) -> Iterator[Result[list[WorkflowRunRow], Error]]:
    """Give the runs of a workflow page by page, newest first; a ``Failure`` is the last page.

    ``limit`` is the number of rows of a page, ``offset`` how many to pass over. A page is asked for when it is wanted.
    """
    page: Result[list[WorkflowRunRow], Error]
    while isinstance(page := call(core, OPERATION, (workflow_id, limit, offset), options), Success):
        rows = page.unwrap()
        if rows:
            yield page
        if len(rows) < limit:
            return
        offset += limit
    yield page


async def runs_list_async(
    core: ComfyDeployCore, workflow_id: str, options: RequestOptions | None = None, *, limit: int = 50, offset: int = 0
) -> AsyncIterator[Result[list[WorkflowRunRow], Error]]:
    """Do what ``runs_list`` does, for ``async for``."""
    page: Result[list[WorkflowRunRow], Error]
    while isinstance(page := await call_async(core, OPERATION, (workflow_id, limit, offset), options), Success):
        rows = page.unwrap()
        if rows:
            yield page
        if len(rows) < limit:
            return
        offset += limit
    yield page
