"""Responses, and how errors become responses."""

import asyncio
import os
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from comfydeploy._emulator.deployments.catalogue import NotFoundError
from comfydeploy._emulator.validation import UnprocessableError


class Json(Response):
    """A JSON response; an infinite number becomes null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write the content without spaces, as the real server does."""
        return to_json(content, inf_nan_mode="null")


class StoredFile(FileResponse):
    """A stored file: as its content is not trusted, no script of it may run with the rights of this server."""

    def __init__(self, path: Path, media_type: str) -> None:
        super().__init__(path, media_type=media_type, headers={"content-security-policy": "script-src 'none'"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or a 304 if the client has it."""
        known = Request(scope).headers.get("if-none-match")
        if known is None or not await asyncio.to_thread(Path(self.path).is_file):
            await super().__call__(scope, receive, send)
            return
        self.set_stat_headers(await asyncio.to_thread(os.stat, self.path))
        etag = self.headers["etag"]
        if known.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in known.split(",")]:
            await Response(status_code=304, headers={"etag": etag})(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class BrokenError(Exception):
    """Answer 500 text/plain, whatever was done before, as the real server does."""


def error_response(_: Request, error: Exception) -> Response:
    """Return the response of a request that raised an error."""
    match error:
        case HTTPException():
            return Json({"detail": error.detail}, error.status_code, error.headers)
        case NotFoundError():
            return Json({"detail": str(error)}, 404)
        case UnprocessableError():
            return Json({"detail": error.problems}, 422)
        case BrokenError():
            return PlainTextResponse("Internal Server Error", 500)
        case _:
            # The client disconnected while it was sending: this response is not read.
            return Response(status_code=400)
