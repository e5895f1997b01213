"""The routes of uploaded files."""

import asyncio
from typing import Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy._emulator import uploads
from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.bodies import UnprocessableError, problem
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.routes import asked
from comfydeploy._emulator.routes.answers import Json, StoredFile

_PLACE: Final = ("body", "file")
_MOST_PARTS: Final = 20


class FileRoutes:
    """Takes files and gives them back."""

    def __init__(self, backend: Backend) -> None:
        self._uploads: Final = backend.uploads

    def routes(self) -> list[Route]:
        """List the routes of files."""
        return [
            Route("/api/file/upload", self.upload, methods=["POST"]),
            Route("/inputs/{name}", self.uploaded, methods=["GET"]),
        ]

    async def upload(self, request: Request) -> Response:
        """Answer ``POST /file/upload``: the file's name decides whether it is taken, whatever it holds."""
        async with request.form(max_files=_MOST_PARTS, max_fields=_MOST_PARTS) as form:
            file = form.get("file")
            if not file:
                raise UnprocessableError([problem("missing", _PLACE, "Field required", None)])
            if not isinstance(file, UploadFile):
                message = "Value error, Expected UploadFile, received: <class 'str'>"
                raise UnprocessableError([{**problem("value_error", _PLACE, message, file), "ctx": {"error": {}}}])
            filename = file.filename or ""
            if not uploads.is_taken(filename):
                raise HTTPException(400, "Unsupported file type")
            if (file.size or 0) > uploads.LARGEST:
                raise HTTPException(400, f"File size exceeds {uploads.LARGEST // 1024**2}MB limit")
            file_id, name = await asyncio.to_thread(self._uploads.keep, filename, file.file)
        return Json(
            {
                "message": "File uploaded successfully",
                "file_id": file_id,
                "file_name": filename,
                "file_url": f"{asked.base(request)}inputs/{name}",
            }
        )

    async def uploaded(self, request: Request) -> Response:
        """Answer the address of an uploaded file."""
        if path := self._uploads.path(request.path_params["name"]):
            return StoredFile(path, media_type=media_type(path.name))
        raise HTTPException(404)
