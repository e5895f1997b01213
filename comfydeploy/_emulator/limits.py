"""How much of a request is read."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfydeploy._emulator import uploads
from comfydeploy._emulator.routes.answers import refusal

MOST_JSON: Final = 32 * 1024 * 1024
# Beyond what an uploaded file may have, for that is refused with words of its own.
MOST_FORM: Final = 2 * uploads.LARGEST


class BodyLimit:
    """The application, with requests refused of which more than ``MOST_JSON`` or ``MOST_FORM`` bytes have come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413, or let the application answer."""
        most = MOST_FORM if scope["path"] == "/api/file/upload" else MOST_JSON
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise HTTPException(413, f"The body has more than {most // 1024**2} MB")
            return message

        try:
            await self._app(scope, counted, send)
        except HTTPException as error:
            # Raised where the body was read ahead; the application answers its own.
            await refusal(Request(scope), error)(scope, receive, send)
