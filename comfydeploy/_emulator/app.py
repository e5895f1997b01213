"""The application: all routes, behind one gate."""

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.bodies import UnprocessableError
from comfydeploy._emulator.breaking import Breaker
from comfydeploy._emulator.faults import Faults
from comfydeploy._emulator.limits import BodyLimit
from comfydeploy._emulator.page.routes import PageRoutes
from comfydeploy._emulator.received import Recorder
from comfydeploy._emulator.routes.answers import BrokenError, Json, refusal
from comfydeploy._emulator.routes.control import CONTROL, ControlRoutes
from comfydeploy._emulator.routes.deployments import DeploymentRoutes
from comfydeploy._emulator.routes.files import FileRoutes
from comfydeploy._emulator.routes.logs import LogRoutes
from comfydeploy._emulator.routes.runs import RunRoutes
from comfydeploy._emulator.routes.sessions import SessionRoutes
from comfydeploy._emulator.routes.start import StartRoutes

LOCAL_KEY: Final = "local-key"
_GUARDED: Final = ("/api/", CONTROL)


def service_routes(backend: Backend) -> list[Route]:
    """List the routes that the real server has as well."""
    return [
        *StartRoutes(backend).routes(),
        *RunRoutes(backend).routes(),
        *FileRoutes(backend).routes(),
        *LogRoutes(backend).routes(),
        *SessionRoutes(backend).routes(),
        *DeploymentRoutes(backend).routes(),
    ]


class Application:
    """The server of a backend, closed to all who do not know ``bearer``."""

    def __init__(self, backend: Backend, bearer: str, faults: Faults, recorder: Recorder) -> None:
        own = [
            # A key of the user's own is a secret, and shown to nobody.
            *PageRoutes(backend, bearer, example_key=bearer if bearer == LOCAL_KEY else "YOUR_KEY").routes(),
            *ControlRoutes(backend, faults, recorder).routes(),
        ]
        routes = [*service_routes(backend), *own]
        for route in routes:
            # Starlette answers HEAD wherever GET is; the real server does not.
            (route.methods or set()).discard("HEAD")
        app = Starlette(
            routes=routes,
            exception_handlers=dict.fromkeys(
                (HTTPException, UnprocessableError, BrokenError, ClientDisconnect), refusal
            ),
        )
        gated = BearerGate(app, bearer)
        self._backend: Final = backend
        self._breaker: Final = Breaker(gated, faults, backend.clock)
        self._own: Final = own
        self._watching: Final = BodyLimit(gated)
        self._answering: Final = recorder.recording(BodyLimit(self._breaker))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        # Whoever watches or controls the server is neither recorded nor met by faults.
        is_own = any(route.matches(scope)[0] is not Match.NONE for route in self._own)
        await (self._watching if is_own else self._answering)(scope, receive, send)

    async def stop(self) -> None:
        """End what runs, so that nobody waits for it any longer."""
        self._breaker.stop()
        await self._backend.stop()


class BearerGate:
    """Lets requests pass that carry the key or need none, as those to the address of a file."""

    def __init__(self, app: ASGIApp, bearer: str) -> None:
        self._app: Final = app
        self._bearer: Final = bearer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the application answer."""
        await (self._refusal(scope) or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if not (scope["path"] + "/").startswith(_GUARDED):
            return None
        scheme, space, key = Request(scope).headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not space:
            return Json({"detail": "Invalid or missing token"}, 401)
        if key != self._bearer:
            return Json({"detail": "Invalid or expired token"}, 401)
        return None
