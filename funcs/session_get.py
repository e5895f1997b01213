"""Read a session: ``GET /session/{session_id}``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.route import route
from comfydeploy._wire.sessions import returning_session
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.session import Session
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_session_session__session_id__get",
    route("GET", "/session/{session_id}"),
    returning_session(Session),
    creates="nothing",
)


def session_get(
    core: ComfyDeployCore, session_id: str, options: RequestOptions | None = None
) -> Result[Session, Error]:
    """Return a session; its ``url`` is ``None`` until it is ready.

    It sends ``GET /session/{session_id}``.

    Args:
        core: The client: its key, its server and its connections.
        session_id: The id of the session.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the session, or ``Failure``.
    """
    return call(core, OPERATION, {"session_id": session_id}, options)


async def session_get_async(
    core: ComfyDeployCore, session_id: str, options: RequestOptions | None = None
) -> Result[Session, Error]:
    """Return a session; its ``url`` is ``None`` until it is ready.

    The async version of ``session_get``, which has the details.
    """
    return await call_async(core, OPERATION, {"session_id": session_id}, options)
