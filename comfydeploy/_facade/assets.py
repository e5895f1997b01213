"""``client.assets``: the folders of assets, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    import builtins

    from comfydeploy.models.asset import Asset


class AssetFolders(Group):
    """List and create the folders of assets; every method raises the error of a ``Failure``."""

    def list(self, path: str = "/", options: RequestOptions | None = None) -> "builtins.list[Asset]":
        """Return the files and folders in a folder, without those in folders below.

        The service sends all of them at once, and an empty list for a folder that does not exist.

        Args:
            path: The ``path`` of the folder; ``"/"`` for the root.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``assets_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.assets_list import assets_list

        return unwrap(assets_list(self._core, path, options))

    async def list_async(self, path: str = "/", options: RequestOptions | None = None) -> "builtins.list[Asset]":
        """Return the files and folders in a folder, without those in folders below.

        The service sends all of them at once, and an empty list for a folder that does not exist.

        Args:
            path: The ``path`` of the folder; ``"/"`` for the root.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``assets_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.assets_list import assets_list_async

        return unwrap(await assets_list_async(self._core, path, options))

    def folder(self, name: str, options: RequestOptions | None = None, *, parent_path: str = "/") -> "Asset":
        """Create a folder and return it.

        The service does not check that the parent exists.

        Args:
            name: The name of the folder.
            options: What is different for this call: timeout, retries, headers, deadline.
            parent_path: The ``path`` of the folder that it is in; ``"/"`` for the root.

        Raises:
            ComfyDeployError: What ``assets_folder`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.assets_folder import assets_folder

        return unwrap(assets_folder(self._core, name, options, parent_path=parent_path))

    async def folder_async(
        self, name: str, options: RequestOptions | None = None, *, parent_path: str = "/"
    ) -> "Asset":
        """Create a folder and return it.

        The service does not check that the parent exists.

        Args:
            name: The name of the folder.
            options: What is different for this call: timeout, retries, headers, deadline.
            parent_path: The ``path`` of the folder that it is in; ``"/"`` for the root.

        Raises:
            ComfyDeployError: What ``assets_folder`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.assets_folder import assets_folder_async

        return unwrap(await assets_folder_async(self._core, name, options, parent_path=parent_path))
