"""``client.machines``: the machines, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy._facade.pages import AsyncRaisingPages, RaisingPages
from comfydeploy.options import RequestOptions

if TYPE_CHECKING:
    from comfydeploy.models.machine import MachineModel


class Machines(Group):
    """List machines; every method raises the error of a ``Failure``."""

    def list(
        self,
        options: RequestOptions | None = None,
        *,
        search: str | None = None,
        is_deleted: bool | None = False,
        is_workspace: bool | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> RaisingPages["MachineModel"]:
        """Yield the machines, page by page, those that were changed last first.

        Args:
            options: As for every call, for each page.
            search: Only machines with this text in their names.
            is_deleted: ``True`` for deleted machines; ``None`` for both, which a row does not tell apart.
            is_workspace: ``True`` for workspaces in place of machines.
            limit: The number of rows of a page.
            offset: The number of rows to skip.

        Raises:
            ComfyDeployError: What ``machines_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.machines_list import machines_list

        return RaisingPages(
            machines_list(
                self._core,
                options,
                search=search,
                is_deleted=is_deleted,
                is_workspace=is_workspace,
                limit=limit,
                offset=offset,
            )
        )

    def list_async(
        self,
        options: RequestOptions | None = None,
        *,
        search: str | None = None,
        is_deleted: bool | None = False,
        is_workspace: bool | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> AsyncRaisingPages["MachineModel"]:
        """Yield the machines, page by page, those that were changed last first.

        Args:
            options: As for every call, for each page.
            search: Only machines with this text in their names.
            is_deleted: ``True`` for deleted machines; ``None`` for both, which a row does not tell apart.
            is_workspace: ``True`` for workspaces in place of machines.
            limit: The number of rows of a page.
            offset: The number of rows to skip.

        Raises:
            ComfyDeployError: What ``machines_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.machines_list import machines_list_async

        return AsyncRaisingPages(
            machines_list_async(
                self._core,
                options,
                search=search,
                is_deleted=is_deleted,
                is_workspace=is_workspace,
                limit=limit,
                offset=offset,
            )
        )
