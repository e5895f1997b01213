"""Which requests are accepted, by the host that they are sent to and the origin of the page."""

from collections.abc import Iterable
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from comfydeploy._emulator.serving.protocol import connection_of
from comfydeploy._emulator.web.hosts import AllowedHosts, origin_pattern
from comfydeploy._emulator.web.responses import Json

_MAX_AGE: Final = 600  # seconds
_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_FOR_PAGES: Final = ("/api/", "/_emulator/", "/outputs/", "/inputs/", "/assets/")


class Door:
    """Wraps the application: refuses other hosts with a 403, and lets pages of allowed origins read the responses."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._app: Final = app
        self._hosts: Final = AllowedHosts(hosts)
        self._shared: Final = CORSMiddleware(
            app,
            allow_origin_regex=origin_pattern(origins),
            allow_methods=_METHODS,
            allow_headers=["*"],
            allow_credentials=True,
            max_age=_MAX_AGE,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or pass the request on."""
        # A browser always sends the header; without it the request is not one of a page.
        host = Request(scope).headers.get("host", "localhost")
        # A connection through memory comes from this process, whatever the address in its requests.
        if not connection_of(scope).is_in_memory and not self._hosts.allows(host):
            detail = f"The host {host!r} is not allowed. To allow it, start the server with --allow-host NAME."
            await Json({"detail": detail}, 403)(scope, receive, send)
        elif scope["path"].startswith(_FOR_PAGES):
            await self._shared(scope, receive, send)
        else:
            await self._app(scope, receive, send)
