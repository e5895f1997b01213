"""Delete an asset: ``DELETE /assets/{asset_id}``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, hinting, returning, status
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.asset import DeleteAssetResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "delete_asset_assets__asset_id__delete",
    route("DELETE", "/assets/{asset_id}"),
    returning(DeleteAssetResponse),
    creates="nothing",
    hint=hinting("It is unknown or not yours, or it was deleted before, as by an earlier attempt.", when=status(404)),
)


def asset_delete(
    core: ComfyDeployCore, asset_id: str, options: RequestOptions | None = None
) -> Result[DeleteAssetResponse, Error]:
    """Delete a file, or a folder with all that is in it.

    The service removes the file from the storage as well, but not the files of a deleted folder.

    It sends ``DELETE /assets/{asset_id}``.

    Args:
        core: The client: its key, its server and its connections.
        asset_id: The id of the asset, such as ``img_...``.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success``, or ``Failure``: an ``SDKError`` with status 404 for one that is unknown, or was deleted before.
    """
    return call(core, OPERATION, {"asset_id": asset_id}, options)


async def asset_delete_async(
    core: ComfyDeployCore, asset_id: str, options: RequestOptions | None = None
) -> Result[DeleteAssetResponse, Error]:
    """Delete a file, or a folder with all that is in it.

    The async version of ``asset_delete``, which has the details.
    """
    return await call_async(core, OPERATION, {"asset_id": asset_id}, options)
