"""Who may see the page, what it may do in a browser, and whose forms it takes."""

import base64
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from secrets import token_urlsafe
from typing import Final, TypeAlias

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from comfydeploy._emulator.web.hosts import host_name, is_loopback

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]

_OURS: Final = ("script", "style", "img", "media", "connect")
_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " + "; ".join(
    f"{kind}-src 'self'" for kind in _OURS
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # With no-referrer a browser would send the forms of the page itself without their origin.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_REFUSED: Final = (
    "This page is open to browsers on the computer of the server, at a loopback address.\n"
    "Elsewhere it needs the API key, as the password, with any user name.\n"
)
_MOST_PARTS: Final = 1_000


class RefusedFormError(Exception):
    """A form that no page of this server has sent, or that cannot be read; the message says why."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status: Final = status


class Guard:
    """Opens the page to this computer, and to clients that send the API key.

    A request is of this computer if it comes from it *and* was sent to it by a loopback name. The second keeps other
    sites out that have made their own name point here. Other requests need the key, as the password of the browser's
    own dialogue, so that it is in no address and no cookie.

    A browser sends a form of any site, also one that may not read the answer. So a form needs the origin of this page,
    which a browser sends with it, and ``token``, which only this page contains.
    """

    def __init__(self, bearer: str) -> None:
        self._bearer: Final = bearer
        self.token: Final = token_urlsafe(32)

    async def answer(self, answer: Answer, request: Request) -> Response:
        """Answer a request, or require the key."""
        if _is_local(request) or self._has_key(request):
            response = await answer(request)
        else:
            response = PlainTextResponse(
                _REFUSED, 401, {"www-authenticate": 'Basic realm="comfydeploy", charset="UTF-8"'}
            )
        response.headers.update(_HEADERS)
        return response

    @asynccontextmanager
    async def form(self, request: Request) -> AsyncGenerator[FormData]:
        """Read a form of this page; raise ``RefusedFormError`` for any other."""
        _, _, sender = request.headers.get("origin", "").partition("://")
        if not sender or sender.lower() != request.headers.get("host", "").lower():
            raise RefusedFormError("It was sent by a page of another site, or by no page at all. Nothing was changed.")
        try:
            form = await request.form(max_files=_MOST_PARTS, max_fields=_MOST_PARTS)
        except HTTPException as error:
            raise RefusedFormError(f"It cannot be read: {error.detail}.", error.status_code) from None
        try:
            token = form.get("token")
            if not isinstance(token, str) or not hmac.compare_digest(token.encode(), self.token.encode()):
                raise RefusedFormError(
                    "It is not of this start of the server. Nothing was changed. Reload its page, and send it again."
                )
            yield form
        finally:
            await form.close()

    def _has_key(self, request: Request) -> bool:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        try:
            _, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            return False
        return scheme.lower() == "basic" and password == self._bearer


def _is_local(request: Request) -> bool:
    name = host_name(request.headers.get("host", ""))
    return bool(name and request.client and is_loopback(request.client.host) and is_loopback(name))
