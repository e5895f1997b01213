"""How answers are written."""

from pathlib import Path
from typing import Any

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from comfydeploy._emulator.bodies import UnprocessableError


class Json(Response):
    """A JSON answer; what JSON cannot say (an infinite number) becomes null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write the content without spaces, as the real server does."""
        return to_json(content, inf_nan_mode="null")


class StoredFile(FileResponse):
    """A file that somebody has brought or a run has made: whatever it is, it must not act as a part of this server."""

    def __init__(self, path: Path, media_type: str) -> None:
        super().__init__(path, media_type=media_type, headers={"content-security-policy": "script-src 'none'"})


class BrokenError(Exception):
    """The real server breaks here, whatever it has done before."""


def refusal(_: Request, error: Exception) -> Response:
    """Answer a request that was refused."""
    match error:
        case HTTPException():
            return Json({"detail": error.detail}, error.status_code, error.headers)
        case UnprocessableError():
            return Json({"detail": error.problems}, 422)
        case BrokenError():
            return PlainTextResponse("Internal Server Error", 500)
        case _:
            # The client left while it was sending: nobody reads this.
            return Response(status_code=400)
