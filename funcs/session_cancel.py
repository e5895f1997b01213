"""Close a session: ``DELETE /session/{session_id}``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, hinting, returning, status
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.session import CancelSessionResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "delete_session_session__session_id__delete",
    route("DELETE", "/session/{session_id}"),
    returning(CancelSessionResponse),
    creates="nothing",
    hint=hinting("The session may have been closed: look with session_get.", when=status(400)),
)


def session_cancel(
    core: ComfyDeployCore, session_id: str, options: RequestOptions | None = None
) -> Result[CancelSessionResponse, Error]:
    """Close a session.

    The server may answer 400 although it closed the session: look with ``session_get``.

    It sends ``DELETE /session/{session_id}``.

    Args:
        core: The client: its key, its server and its connections.
        session_id: The id of the session.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success``, or ``Failure``: an ``SDKError`` with status 400, whose ``hint`` says what it may mean.
    """
    return call(core, OPERATION, {"session_id": session_id}, options)


async def session_cancel_async(
    core: ComfyDeployCore, session_id: str, options: RequestOptions | None = None
) -> Result[CancelSessionResponse, Error]:
    """Close a session.

    The async version of ``session_cancel``, which has the details.
    """
    return await call_async(core, OPERATION, {"session_id": session_id}, options)
