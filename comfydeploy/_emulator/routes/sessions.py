"""The routes of sessions."""

from typing import Final

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.routes import asked
from comfydeploy._emulator.routes.answers import Json
from comfydeploy._emulator.sessions import CreateSessionBody

_BODY: Final = TypeAdapter(CreateSessionBody)


class SessionRoutes:
    """Opens, shows and closes sessions."""

    def __init__(self, backend: Backend) -> None:
        self._sessions: Final = backend.sessions
        self._quirks: Final = backend.quirks
        self._catalogue: Final = backend.catalogue

    def routes(self) -> list[Route]:
        """List the routes of sessions."""
        return [
            Route("/api/session", self.create, methods=["POST"]),
            Route("/api/session/{session_id}", self.show, methods=["GET"]),
            Route("/api/session/{session_id}", self.delete, methods=["DELETE"]),
            Route("/api/sessions", self.open, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """Answer ``POST /session`` with ``session_id`` and ``url``, which is null unless the caller waits for it."""
        body = await asked.body(request, _BODY)
        machine_id = self._catalogue.found(
            "machine_id", asked.uuid_or_text(body.machine_id), "Machine not found"
        ).machine_id
        session = self._sessions.begin(body.model_copy(update={"machine_id": machine_id}), asked.base(request))
        if body.wait_for_server:
            await self._sessions.started(session)
            return Json({"session_id": session.id, "url": session.url})
        return Json({"session_id": session.id, "url": None})

    async def show(self, request: Request) -> Response:
        """Answer ``GET /session/{session_id}``."""
        if session := self._sessions.find(request.path_params["session_id"]):
            return Json(session.shown())
        raise HTTPException(404, "GPUEvent not found")

    async def delete(self, request: Request) -> Response:
        """Answer ``DELETE /session/{session_id}``."""
        session_id = request.path_params["session_id"]
        if session := self._sessions.find(session_id):
            self._sessions.end(session)
            if Quirk.BROKEN_CLOSING in self._quirks:
                raise HTTPException(400, "Failed to close the session")
            return Json({"success": True})
        raise HTTPException(404, f"GPUEvent not found session_id: {session_id}, the event might be already closed")

    async def open(self, request: Request) -> Response:
        """Answer ``GET /sessions?machine_id=``: the open sessions of a machine or of all, newest first."""
        wanted = asked.uuid_or_text(request.query_params.get("machine_id", ""))
        return Json(
            [session.shown() for session in self._sessions.open() if not wanted or session.machine_id == wanted]
        )
