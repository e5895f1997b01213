"""Prolong a session: ``POST /session/{session_id}/increase-timeout``.

The route was tried; the fields of its response are those of the server's source.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, hinting, in_doubt, returning
from comfydeploy._wire.route import at_least, posting_values
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.session import IncreaseTimeoutResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "increase_timeout_2_session__session_id__increase_timeout_post",
    posting_values("/session/{session_id}/increase-timeout", minutes=at_least(1)),
    returning(IncreaseTimeoutResponse),
    creates="session_time",
    hint=hinting(
        "The session may have been prolonged, and its time is billed: read timeout_end with session_get.", when=in_doubt
    ),
)


def session_increase_timeout(
    core: ComfyDeployCore, session_id: str, minutes: int, options: RequestOptions | None = None
) -> Result[IncreaseTimeoutResponse, Error]:
    """Let a session end later; its time is billed.

    ``timeout_end`` of the session is then later by these minutes, ``timeout`` stays as it is.

    It sends ``POST /session/{session_id}/increase-timeout``. Each request adds its minutes, so it is never repeated
    where one may have been executed.

    Args:
        core: The client: its key, its server and its connections.
        session_id: The id of the session.
        minutes: The minutes to add, 1 or more.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success``, or ``Failure``: an ``SDKError`` with status 404 for a session that is unknown or has ended, with
        status 400 where the plan does not allow it.
    """
    return call(core, OPERATION, {"session_id": session_id, "minutes": minutes}, options)


async def session_increase_timeout_async(
    core: ComfyDeployCore, session_id: str, minutes: int, options: RequestOptions | None = None
) -> Result[IncreaseTimeoutResponse, Error]:
    """Let a session end later; its time is billed.

    The async version of ``session_increase_timeout``, which has the details.
    """
    return await call_async(core, OPERATION, {"session_id": session_id, "minutes": minutes}, options)
