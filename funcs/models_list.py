"""List the public models: ``GET /models``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.public_model import PublicModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "public_models_models_get",
    route("GET", "/models"),
    returning_list(PublicModel),
    creates="nothing",
)


def models_list(core: ComfyDeployCore, options: RequestOptions | None = None) -> Result[list[PublicModel], Error]:
    """Return the public models of the service, with their inputs.

    It is a fixed list. No route runs one of them: a request with ``model_id`` is answered with 500.

    It sends ``GET /models``.

    Args:
        core: The client: its key, its server and its connections.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with a list, or ``Failure``. ``raw`` of the list has the items that cannot be read.
    """
    return call(core, OPERATION, {}, options)


async def models_list_async(
    core: ComfyDeployCore, options: RequestOptions | None = None
) -> Result[list[PublicModel], Error]:
    """Return the public models of the service, with their inputs.

    The async version of ``models_list``, which has the details.
    """
    return await call_async(core, OPERATION, {}, options)
