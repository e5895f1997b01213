"""The routes of sessions."""

from typing import Final

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.sessions import CreateSessionBody, IncreaseTimeoutBody
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json

_BODY: Final = TypeAdapter(CreateSessionBody)
_MINUTES: Final = TypeAdapter(IncreaseTimeoutBody)


async def create_session(backend: Backend, request: Request) -> Response:
    """Answer ``POST /session`` with ``session_id`` and ``url``, which is null unless the caller waits for it."""
    body = await requests.body(request, _BODY)
    machine = backend.catalogue.find("own_machine_id", requests.uuid_or_text(body.machine_id), "Machine not found")
    body = body.model_copy(update={"machine_id": machine.own_machine_id})
    session = backend.sessions.begin(body, requests.base(request))
    if body.wait_for_server:
        await backend.sessions.started(session)
        return Json({"session_id": session.id, "url": session.url})
    return Json({"session_id": session.id, "url": None})


async def show_session(backend: Backend, request: Request) -> Response:
    """Answer ``GET /session/{session_id}``."""
    if session := backend.sessions.find(request.path_params["session_id"]):
        return Json(session.session_json())
    raise HTTPException(404, "GPUEvent not found")


async def delete_session(backend: Backend, request: Request) -> Response:
    """Answer ``DELETE /session/{session_id}``."""
    session_id = request.path_params["session_id"]
    if session := backend.sessions.find(session_id):
        backend.sessions.end(session)
        if Quirk.BROKEN_CLOSING in backend.quirks:
            raise HTTPException(400, "Failed to close the session")
        return Json({"success": True})
    raise HTTPException(404, f"GPUEvent not found session_id: {session_id}, the event might be already closed")


async def increase_timeout(backend: Backend, request: Request) -> Response:
    """Answer ``POST /session/{session_id}/increase-timeout``: the session ends later, its ``timeout`` stays."""
    session = backend.sessions.find(request.path_params["session_id"])
    body = await requests.body(request, _MINUTES)
    if session is None:
        raise HTTPException(404, "GPU event not found")
    backend.sessions.prolong(session, body.minutes)
    return Json({"message": "Timeout increased successfully"})


async def list_sessions(backend: Backend, request: Request) -> Response:
    """Answer ``GET /sessions?machine_id=``: the open sessions of a machine or of all, newest first."""
    machine_id = requests.uuid_or_text(request.query_params.get("machine_id", ""))
    return Json(
        [one.session_json() for one in backend.sessions.open() if not machine_id or one.machine_id == machine_id]
    )


ENDPOINTS: Final = (
    Endpoint("POST", "/api/session", create_session, ("session_create",)),
    Endpoint("GET", "/api/session/{session_id}", show_session, ("session_get",)),
    Endpoint("DELETE", "/api/session/{session_id}", delete_session, ("session_cancel",)),
    Endpoint("POST", "/api/session/{session_id}/increase-timeout", increase_timeout, ("session_increase_timeout",)),
    Endpoint("GET", "/api/sessions", list_sessions, ("session_list",)),
)
