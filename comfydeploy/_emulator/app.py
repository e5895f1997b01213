"""The application: all routes behind the bearer."""

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments.catalogue import NotFoundError
from comfydeploy._emulator.faults.breaking import Breaker
from comfydeploy._emulator.faults.closing import ClosingAfter500
from comfydeploy._emulator.faults.faults import Faults
from comfydeploy._emulator.page.routes import PageRoutes
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.routes.control import CONTROL, ControlRoutes
from comfydeploy._emulator.routes.service import ENDPOINTS
from comfydeploy._emulator.validation import UnprocessableError
from comfydeploy._emulator.web.door import Door
from comfydeploy._emulator.web.limits import BodyLimit
from comfydeploy._emulator.web.recorder import Recorder
from comfydeploy._emulator.web.responses import BrokenError, Json, error_response

LOCAL_KEY: Final = "local-key"
_GUARDED: Final = ("/api/", CONTROL)


class Application:
    """The application of a backend; its API needs ``bearer``."""

    def __init__(self, backend: Backend, bearer: str, faults: Faults, recorder: Recorder) -> None:
        own = [
            # A key of the user's own is a secret, so the page does not show it.
            *PageRoutes(backend, faults, bearer, example_key=bearer if bearer == LOCAL_KEY else "YOUR_KEY").routes(),
            *ControlRoutes(backend, faults, recorder).routes(),
        ]
        routes = [*(endpoint.route(backend) for endpoint in ENDPOINTS), *own]
        for route in routes:
            # Starlette answers HEAD wherever GET is; the real API does not, its storage does.
            if (route.path + "/").startswith(_GUARDED):
                (route.methods or set()).discard("HEAD")
        app = Starlette(
            routes=routes,
            exception_handlers=dict.fromkeys(
                (HTTPException, NotFoundError, UnprocessableError, BrokenError, ClientDisconnect), error_response
            ),
        )
        gated = BearerGate(app, bearer)
        self._backend: Final = backend
        self._breaker: Final = Breaker(gated, faults, backend.clock)
        watching = BodyLimit(gated)
        answering = recorder.recording(BodyLimit(self._breaker))
        closing = ClosingAfter500(answering)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            # Requests of the page and of the control routes are not recorded and have no faults.
            is_own = any(route.matches(scope)[0] is not Match.NONE for route in own)
            closes = Quirk.CLOSED_CONNECTION in backend.quirks
            await (watching if is_own else closing if closes else answering)(scope, receive, send)

        self._door: Final = Door(answer, backend.settings.allowed_hosts, backend.settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._door(scope, receive, send)

    async def stop(self) -> None:
        """End all runs, streams and sessions."""
        self._breaker.stop()
        await self._backend.stop()


class BearerGate:
    """Requires the bearer for the API; other routes, such as the addresses of files, need none."""

    def __init__(self, app: ASGIApp, bearer: str) -> None:
        self._app: Final = app
        self._bearer: Final = bearer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or pass the request on."""
        await (self._error(scope) or self._app)(scope, receive, send)

    def _error(self, scope: Scope) -> Response | None:
        if not (scope["path"] + "/").startswith(_GUARDED):
            return None
        scheme, space, key = Request(scope).headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not space:
            return Json({"detail": "Invalid or missing token"}, 401)
        if key != self._bearer:
            return Json({"detail": "Invalid or expired token"}, 401)
        return None
