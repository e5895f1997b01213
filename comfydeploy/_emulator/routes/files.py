"""The routes of uploaded files."""

import asyncio
from typing import Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator import uploads
from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.uploads import Uploads
from comfydeploy._emulator.validation import UnprocessableError, problem
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json, StoredFile

_LOCATION: Final = ("body", "file")
_MOST_PARTS: Final = 20


async def received(request: Request, files: Uploads) -> tuple[str, tuple[str, str], int]:
    """Keep the file of a form; return its name, its id and name here, and its size.

    The file's name alone decides whether it is accepted.
    """
    async with request.form(max_files=_MOST_PARTS, max_fields=_MOST_PARTS) as form:
        file = form.get("file")
        if not file:
            raise UnprocessableError([problem("missing", _LOCATION, "Field required", None)])
        if not isinstance(file, UploadFile):
            message = "Value error, Expected UploadFile, received: <class 'str'>"
            raise UnprocessableError([{**problem("value_error", _LOCATION, message, file), "ctx": {"error": {}}}])
        filename = file.filename or ""
        if not uploads.is_accepted(filename):
            raise HTTPException(400, "Unsupported file type")
        if (file.size or 0) > uploads.LARGEST:
            raise HTTPException(400, f"File size exceeds {uploads.LARGEST // 1024**2}MB limit")
        return filename, await asyncio.to_thread(files.keep, filename, file.file), file.size or 0


async def upload(backend: Backend, request: Request) -> Response:
    """Answer ``POST /file/upload``."""
    filename, (file_id, name), _ = await received(request, backend.uploads)
    return Json(
        {
            "message": "File uploaded successfully",
            "file_id": file_id,
            "file_name": filename,
            "file_url": f"{requests.base(request)}inputs/{name}",
        }
    )


async def uploaded_file(backend: Backend, request: Request) -> Response:
    """Answer the address of an uploaded file."""
    if path := backend.uploads.path(request.path_params["name"]):
        return StoredFile(path, media_type=media_type(path.name))
    raise HTTPException(404)


ENDPOINTS: Final = (
    Endpoint("POST", "/api/file/upload", upload, ("file_upload",)),
    Endpoint("GET", "/inputs/{name}", uploaded_file, ("input_file",)),
)
