"""List the machines: ``GET /machines``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.pages import PageCursor, pages, pages_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import FLAG, TEXT, at_least, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.models.machine import MachineModel
from comfydeploy.options import RequestOptions
from comfydeploy.paging import AsyncPages, Pages

OPERATION: Final = Operation(
    "get_machines_machines_get",
    route("GET", "/machines", limit=at_least(1), offset=at_least(0), search=TEXT, is_deleted=FLAG, is_workspace=FLAG),
    returning_list(MachineModel),
    creates="nothing",
)


def machines_list(
    core: ComfyDeployCore,
    options: RequestOptions | None = None,
    *,
    search: str | None = None,
    is_deleted: bool | None = False,
    is_workspace: bool | None = None,
    limit: int = 50,
    offset: int = 0,
) -> Pages[MachineModel]:
    """Yield the machines, page by page, those that were changed last first.

    It sends ``GET /machines`` for each page, when the page is read. ``machine_get`` has more of a machine.

    Args:
        core: The client: its key, its server and its connections.
        options: As for every call, for each page.
        search: Only machines with this text in their names.
        is_deleted: ``True`` for deleted machines; ``None`` for both, which a row does not tell apart.
        is_workspace: ``True`` for workspaces in place of machines.
        limit: The number of rows of a page.
        offset: The number of rows to skip.

    Returns:
        An iterator of ``Success(rows)``; a ``Failure`` is the last item. Its method ``rows()`` yields ``Success(row)``
        for each row of all pages.
    """
    fixed = {"search": search, "is_deleted": is_deleted, "is_workspace": is_workspace}
    return pages(core, OPERATION, PageCursor(fixed, limit, offset), options)


def machines_list_async(
    core: ComfyDeployCore,
    options: RequestOptions | None = None,
    *,
    search: str | None = None,
    is_deleted: bool | None = False,
    is_workspace: bool | None = None,
    limit: int = 50,
    offset: int = 0,
) -> AsyncPages[MachineModel]:
    """Yield the machines, page by page, those that were changed last first.

    The async version of ``machines_list``, which has the details; it is for ``async for``.
    """
    fixed = {"search": search, "is_deleted": is_deleted, "is_workspace": is_workspace}
    return pages_async(core, OPERATION, PageCursor(fixed, limit, offset), options)
