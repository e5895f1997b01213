"""Limits of the request body."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfydeploy._emulator import uploads
from comfydeploy._emulator.web.responses import error_response

MOST_JSON: Final = 32 * 1024 * 1024
# More than an uploaded file may have, because that has an error of its own.
MOST_FORM: Final = 2 * uploads.LARGEST
_WITH_FILES: Final = ("/api/file/upload", "/api/assets/upload", "/assets/", "/deployments/")


class BodyLimit:
    """Wraps the application: a body of more than ``MOST_JSON`` or ``MOST_FORM`` bytes is answered 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413, or pass the request on."""
        most = MOST_FORM if scope["path"].startswith(_WITH_FILES) else MOST_JSON
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
            # Raised where the body was read ahead; the application handles its own errors.
            await error_response(Request(scope), error)(scope, receive, send)
