"""Open a session: ``POST /session``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.codec import json_body
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.request import Request
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.session import CreateSessionRequest, CreateSessionResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

_UNKNOWN: Final = "A session may have been opened all the same, and is billed; look with session_list."


def encode(request: CreateSessionRequest | Mapping[str, Any]) -> Request:
    """Ask for a session."""
    return Request("POST", "/session", content=json_body(request, CreateSessionRequest))


OPERATION: Final = Operation(
    "create_session_session_post", encode, returning(CreateSessionResponse), read_timeout=300.0, caution=_UNKNOWN
)


def session_create(
    core: ComfyDeployCore, request: CreateSessionRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[CreateSessionResponse, Error]:
    """Open a session on a machine and give its id. It is billed until it is cancelled or times out.

    ``timeout`` of the request is in minutes. Like a run, a session is never asked for twice by accident.
    """
    return call(core, OPERATION, request, options)


async def session_create_async(
    core: ComfyDeployCore, request: CreateSessionRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[CreateSessionResponse, Error]:
    """Do what ``session_create`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
