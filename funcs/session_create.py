"""Open a session: ``POST /session``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, hinting, in_doubt
from comfydeploy._wire.route import posting
from comfydeploy._wire.run_request import COLD_START
from comfydeploy._wire.sessions import returning_session
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.session import CreateSessionRequest, CreateSessionResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "create_session_session_post",
    posting("/session", CreateSessionRequest),
    returning_session(CreateSessionResponse),
    creates="session",
    read_timeout=COLD_START,
    hint=hinting("A session may have been opened, and is billed; look with session_list.", when=in_doubt),
)


def session_create(
    core: ComfyDeployCore, request: CreateSessionRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[CreateSessionResponse, Error]:
    """Open a session on a machine and return its id.

    A session is billed until it is closed or its time is over.

    It sends ``POST /session``. Reads wait 300 s by default. As with a run, the request is never repeated where a
    session may have been opened.

    Args:
        core: The client: its key, its server and its connections.
        request: A ``CreateSessionRequest``, or a mapping with the same keys: ``{"machine_id": "...", "timeout": 15}``,
            with ``timeout`` in minutes.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with ``session_id`` and ``url``, which is ``None`` until it is ready, or ``Failure``.
    """
    return call(core, OPERATION, request, options)


async def session_create_async(
    core: ComfyDeployCore, request: CreateSessionRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[CreateSessionResponse, Error]:
    """Open a session on a machine and return its id.

    The async version of ``session_create``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
