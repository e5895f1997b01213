"""The application: all routes, behind one gate."""

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.bodies import UnprocessableError
from comfydeploy._emulator.page.routes import PageRoutes
from comfydeploy._emulator.routes.answers import BrokenError, Json, refusal
from comfydeploy._emulator.routes.deployments import DeploymentRoutes
from comfydeploy._emulator.routes.files import FileRoutes
from comfydeploy._emulator.routes.logs import LogRoutes
from comfydeploy._emulator.routes.runs import RunRoutes
from comfydeploy._emulator.routes.sessions import SessionRoutes
from comfydeploy._emulator.routes.start import StartRoutes

LOCAL_KEY: Final = "local-key"


def application(backend: Backend, bearer: str) -> ASGIApp:
    """Make the server of a backend, closed to all who do not know ``bearer``."""
    routes = [
        *StartRoutes(backend).routes(),
        *RunRoutes(backend).routes(),
        *FileRoutes(backend).routes(),
        *LogRoutes(backend).routes(),
        *SessionRoutes(backend).routes(),
        *DeploymentRoutes(backend).routes(),
        # A key of the user's own is a secret, and shown to nobody.
        *PageRoutes(backend, bearer, example_key=bearer if bearer == LOCAL_KEY else "YOUR_KEY").routes(),
    ]
    for route in routes:
        # Starlette answers HEAD wherever GET is; the real server does not.
        (route.methods or set()).discard("HEAD")
    return BearerGate(
        Starlette(
            routes=routes,
            exception_handlers=dict.fromkeys(
                (HTTPException, UnprocessableError, BrokenError, ClientDisconnect), refusal
            ),
        ),
        bearer,
    )


class BearerGate:
    """Lets requests below ``/api`` pass that carry the key."""

    def __init__(self, app: ASGIApp, bearer: str) -> None:
        self._app: Final = app
        self._bearer: Final = bearer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the application answer."""
        await (self._refusal(scope) or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if not (scope["path"] + "/").startswith("/api/"):
            return None
        scheme, space, key = Request(scope).headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not space:
            return Json({"detail": "Invalid or missing token"}, 401)
        if key != self._bearer:
            return Json({"detail": "Invalid or expired token"}, 401)
        return None
