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
    """Close a session. A 400 may come although it was closed, as the ``hint`` of the error says."""
    return call(core, OPERATION, {"session_id": session_id}, options)


async def session_cancel_async(
    core: ComfyDeployCore, session_id: str, options: RequestOptions | None = None
) -> Result[CancelSessionResponse, Error]:
    """Do what ``session_cancel`` does, awaited."""
    return await call_async(core, OPERATION, {"session_id": session_id}, options)
