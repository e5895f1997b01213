"""List the assets of a folder: ``GET /assets``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import FOLDER, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.asset import Asset
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "list_assets_assets_get",
    route("GET", "/assets", path=FOLDER),
    returning_list(Asset),
    creates="nothing",
)


def assets_list(
    core: ComfyDeployCore, path: str = "/", options: RequestOptions | None = None
) -> Result[list[Asset], Error]:
    """Return the files and folders in a folder, without those in folders below.

    The service sends all of them at once, and an empty list for a folder that does not exist.

    It sends ``GET /assets``.

    Args:
        core: The client: its key, its server and its connections.
        path: The ``path`` of the folder; ``"/"`` for the root.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with a list, which may be empty, or ``Failure``. ``raw`` of the list has the items that cannot be
        read.
    """
    return call(core, OPERATION, {"path": path}, options)


async def assets_list_async(
    core: ComfyDeployCore, path: str = "/", options: RequestOptions | None = None
) -> Result[list[Asset], Error]:
    """Return the files and folders in a folder, without those in folders below.

    The async version of ``assets_list``, which has the details.
    """
    return await call_async(core, OPERATION, {"path": path}, options)
