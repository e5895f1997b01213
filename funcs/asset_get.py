"""Read an asset: ``GET /assets/{asset_id}``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.asset import Asset
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_asset_assets__asset_id__get",
    route("GET", "/assets/{asset_id}"),
    returning(Asset),
    creates="nothing",
)


def asset_get(core: ComfyDeployCore, asset_id: str, options: RequestOptions | None = None) -> Result[Asset, Error]:
    """Return a file or a folder; the address of a private file is signed anew.

    It sends ``GET /assets/{asset_id}``.

    Args:
        core: The client: its key, its server and its connections.
        asset_id: The id of the asset, such as ``img_...``.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the asset, or ``Failure``: an ``SDKError`` with status 404 for one that is unknown or not
        yours.
    """
    return call(core, OPERATION, {"asset_id": asset_id}, options)


async def asset_get_async(
    core: ComfyDeployCore, asset_id: str, options: RequestOptions | None = None
) -> Result[Asset, Error]:
    """Return a file or a folder; the address of a private file is signed anew.

    The async version of ``asset_get``, which has the details.
    """
    return await call_async(core, OPERATION, {"asset_id": asset_id}, options)
