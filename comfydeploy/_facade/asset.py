"""``client.asset``: the operations on one asset, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy._wire.upload import Progress, Source
    from comfydeploy.models.asset import Asset, DeleteAssetResponse


class Assets(Group):
    """Store, read and delete one asset; every method raises the error of a ``Failure``."""

    def upload(
        self,
        file: "Source",
        options: RequestOptions | None = None,
        *,
        parent_path: str = "/",
        name: str | None = None,
        progress: "Progress | None" = None,
    ) -> "Asset":
        """Store a file as an asset, which stays until it is deleted, and return the asset.

        The file goes to the storage itself, in pieces, so files of every kind and of up to 5 GiB are accepted. An open
        file is sent from its position on.

        Args:
            file: A path, bytes, a binary file that can seek, or a file that a web framework received, as in
                ``file_upload``.
            options: What is different for this call: timeout, retries, headers, deadline.
            parent_path: The ``path`` of the folder that it is in; ``"/"`` for the root.
            name: The name for the server. It is required with bytes.
            progress: Called with the bytes sent so far and the size of the file.

        Raises:
            ComfyDeployError: What ``asset_upload`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.asset_upload import asset_upload

        return unwrap(asset_upload(self._core, file, options, parent_path=parent_path, name=name, progress=progress))

    async def upload_async(
        self,
        file: "Source",
        options: RequestOptions | None = None,
        *,
        parent_path: str = "/",
        name: str | None = None,
        progress: "Progress | None" = None,
    ) -> "Asset":
        """Store a file as an asset, which stays until it is deleted, and return the asset.

        The file goes to the storage itself, in pieces, so files of every kind and of up to 5 GiB are accepted. An open
        file is sent from its position on.

        Args:
            file: A path, bytes, a binary file that can seek, or a file that a web framework received, as in
                ``file_upload``.
            options: What is different for this call: timeout, retries, headers, deadline.
            parent_path: The ``path`` of the folder that it is in; ``"/"`` for the root.
            name: The name for the server. It is required with bytes.
            progress: Called with the bytes sent so far and the size of the file.

        Raises:
            ComfyDeployError: What ``asset_upload`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.asset_upload import asset_upload_async

        return unwrap(
            await asset_upload_async(self._core, file, options, parent_path=parent_path, name=name, progress=progress)
        )

    def get(self, asset_id: str, options: RequestOptions | None = None) -> "Asset":
        """Return a file or a folder; the address of a private file is signed anew.

        Args:
            asset_id: The id of the asset, such as ``img_...``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``asset_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.asset_get import asset_get

        return unwrap(asset_get(self._core, asset_id, options))

    async def get_async(self, asset_id: str, options: RequestOptions | None = None) -> "Asset":
        """Return a file or a folder; the address of a private file is signed anew.

        Args:
            asset_id: The id of the asset, such as ``img_...``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``asset_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.asset_get import asset_get_async

        return unwrap(await asset_get_async(self._core, asset_id, options))

    def delete(self, asset_id: str, options: RequestOptions | None = None) -> "DeleteAssetResponse":
        """Delete a file, or a folder with all that is in it.

        The service removes the file from the storage as well, but not the files of a deleted folder.

        Args:
            asset_id: The id of the asset, such as ``img_...``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``asset_delete`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.asset_delete import asset_delete

        return unwrap(asset_delete(self._core, asset_id, options))

    async def delete_async(self, asset_id: str, options: RequestOptions | None = None) -> "DeleteAssetResponse":
        """Delete a file, or a folder with all that is in it.

        The service removes the file from the storage as well, but not the files of a deleted folder.

        Args:
            asset_id: The id of the asset, such as ``img_...``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``asset_delete`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.asset_delete import asset_delete_async

        return unwrap(await asset_delete_async(self._core, asset_id, options))
