"""Read a machine: ``GET /machine/{machine_id}``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.machine import MachineModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_machine_machine__machine_id__get",
    route("GET", "/machine/{machine_id}"),
    returning(MachineModel),
    creates="nothing",
)


def machine_get(
    core: ComfyDeployCore, machine_id: str, options: RequestOptions | None = None
) -> Result[MachineModel, Error]:
    """Return a machine with its settings.

    It sends ``GET /machine/{machine_id}``.

    Args:
        core: The client: its key, its server and its connections.
        machine_id: The id of the machine, a UUID, as ``machines_list`` returns it.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the machine, or ``Failure``: an ``SDKError`` with status 404 for one that is unknown, deleted
        or not yours.
    """
    return call(core, OPERATION, {"machine_id": machine_id}, options)


async def machine_get_async(
    core: ComfyDeployCore, machine_id: str, options: RequestOptions | None = None
) -> Result[MachineModel, Error]:
    """Return a machine with its settings.

    The async version of ``machine_get``, which has the details.
    """
    return await call_async(core, OPERATION, {"machine_id": machine_id}, options)
