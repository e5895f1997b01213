"""Close a session: ``DELETE /session/{session_id}``."""

from typing import Final

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request, segment
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.session import CancelSessionResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


def encode(session_id: str) -> Request:
    """Ask for the end of a session."""
    return Request("DELETE", f"/session/{segment(session_id, 'session_id')}")


def _what_it_means(reply: Reply) -> str | None:
    if reply.status_code == 400:  # noqa: PLR2004 - the one status of which this is known
        return "The session may have been closed all the same: look with session_get."
    return None


OPERATION: Final = Operation(
    "delete_session_session__session_id__delete", encode, returning(CancelSessionResponse), hint=_what_it_means
)


def session_cancel(
    core: ComfyDeployCore, session_id: str, options: RequestOptions | None = None
) -> Result[CancelSessionResponse, Error]:
    """Close a session. A 400 may come although it was closed, as the ``hint`` of the error says."""
    return call(core, OPERATION, session_id, options)


async def session_cancel_async(
    core: ComfyDeployCore, session_id: str, options: RequestOptions | None = None
) -> Result[CancelSessionResponse, Error]:
    """Do what ``session_cancel`` does, awaited."""
    return await call_async(core, OPERATION, session_id, options)
