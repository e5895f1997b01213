"""List the sessions: ``GET /sessions``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.route import TEXT, route
from comfydeploy._wire.sessions import sessions
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.session import Session
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_machine_sessions_sessions_get",
    route("GET", "/sessions", machine_id=TEXT),
    sessions,
    creates="nothing",
)


def session_list(
    core: ComfyDeployCore, machine_id: str | None = None, options: RequestOptions | None = None
) -> Result[list[Session], Error]:
    """Return the open sessions of a machine, or all of them.

    It sends ``GET /sessions``.

    Args:
        core: The client: its key, its server and its connections.
        machine_id: The machine; ``None`` for all.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with a list, which may be empty, or ``Failure``.
    """
    return call(core, OPERATION, {"machine_id": machine_id}, options)


async def session_list_async(
    core: ComfyDeployCore, machine_id: str | None = None, options: RequestOptions | None = None
) -> Result[list[Session], Error]:
    """Return the open sessions of a machine, or all of them.

    The async version of ``session_list``, which has the details.
    """
    return await call_async(core, OPERATION, {"machine_id": machine_id}, options)
