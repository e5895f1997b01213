"""Who may see the page, and what it may do in a browser."""

import base64
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from comfydeploy._emulator.web.hosts import host_name, is_loopback

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]

_OURS: Final = ("script", "style", "img", "media", "connect")
_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " + "; ".join(
    f"{kind}-src 'self'" for kind in _OURS
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_REFUSED: Final = (
    "This page is open to browsers on the computer of the server, at a loopback address.\n"
    "Elsewhere it needs the API key, as the password, with any user name.\n"
)


class Guard:
    """Opens the page to this computer, and to clients that send the API key.

    A request is of this computer if it comes from it *and* was sent to it by a loopback name. The second keeps other
    sites out that have made their own name point here. Other requests need the key, as the password of the browser's
    own dialogue, so that it is in no address and no cookie.
    """

    def __init__(self, bearer: str) -> None:
        self._bearer: Final = bearer

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
