"""Create a folder for assets: ``POST /assets/folder``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import TEXT, posting_values
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.asset import Asset
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "create_folder_assets_folder_post",
    posting_values("/assets/folder", name=TEXT, parent_path=TEXT),
    returning(Asset),
    creates="asset",
)


def assets_folder(
    core: ComfyDeployCore, name: str, options: RequestOptions | None = None, *, parent_path: str = "/"
) -> Result[Asset, Error]:
    """Create a folder and return it.

    The service does not check that the parent exists.

    It sends ``POST /assets/folder``. The request is never repeated where the folder may have been created.

    Args:
        core: The client: its key, its server and its connections.
        name: The name of the folder.
        options: What is different for this call: timeout, retries, headers, deadline.
        parent_path: The ``path`` of the folder that it is in; ``"/"`` for the root.

    Returns:
        ``Success`` with the folder, or ``Failure``: an ``SDKError`` with status 400 where there is one of this path.
    """
    return call(core, OPERATION, {"name": name, "parent_path": parent_path}, options)


async def assets_folder_async(
    core: ComfyDeployCore, name: str, options: RequestOptions | None = None, *, parent_path: str = "/"
) -> Result[Asset, Error]:
    """Create a folder and return it.

    The async version of ``assets_folder``, which has the details.
    """
    return await call_async(core, OPERATION, {"name": name, "parent_path": parent_path}, options)
