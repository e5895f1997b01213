"""The routes of assets, and of the storage that their files are sent to."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlencode

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.assets import KIND, Asset
from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.routes.files import received
from comfydeploy._emulator.validation import UnprocessableError, problem
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json, StoredFile

_Text = Annotated[str, StringConstraints(max_length=1024)]
_WRITTEN: Final = 1024 * 1024
_UNKNOWN: Final = "Asset not found"
_ROOT: Final = "/"


class _FolderBody(BaseModel):
    name: _Text
    parent_path: _Text = _ROOT


class _RegisterBody(BaseModel):
    file_id: _Text
    file_name: _Text
    file_size: Annotated[int, Field(ge=0, lt=2**63)]
    db_path: _Text
    url: Annotated[str, StringConstraints(max_length=8192)]
    mime_type: _Text


_FOLDER: Final = TypeAdapter(_FolderBody)
_REGISTER: Final = TypeAdapter(_RegisterBody)
_TEXT: Final = TypeAdapter[str](_Text)


async def list_assets(backend: Backend, request: Request) -> Response:
    """Answer ``GET /assets?path=``: what is in a folder; an unknown one is empty."""
    base = requests.base(request)
    return Json([one.asset_json(base) for one in backend.assets.in_folder(request.query_params.get("path", _ROOT))])


async def create_folder(backend: Backend, request: Request) -> Response:
    """Answer ``POST /assets/folder``."""
    body = await requests.body(request, _FOLDER)
    if folder := backend.assets.add_folder(body.name, body.parent_path):
        return Json(folder.asset_json(requests.base(request)))
    raise HTTPException(400, "Folder already exists")


async def upload(backend: Backend, request: Request) -> Response:
    """Answer ``POST /assets/upload``: a file in a form, as in ``POST /file/upload``."""
    parent = requests.query(request, "parent_path", _TEXT, _ROOT)
    filename, kept, size = await received(request, backend.assets.files)
    asset = backend.assets.received(filename, parent, kept, size, media_type(filename))
    return Json(asset.asset_json(requests.base(request)))


async def sign(backend: Backend, request: Request) -> Response:
    """Answer ``GET /assets/presigned-url``: an address that takes the file for an hour."""
    filename, kind = (_required(request, name) for name in ("file_name", "type"))
    parent = requests.query(request, "parent_path", _TEXT, _ROOT)
    expected = backend.assets.expect(filename, parent, kind)
    address = f"{requests.base(request)}{KIND}/{expected.file}"
    signed = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Expires": "3600",
        "X-Amz-SignedHeaders": "content-type;host",
        "X-Amz-Signature": expected.signature,
    }
    return Json(
        {
            "url": f"{address}?{urlencode(signed)}",
            "download_url": address,
            "file_id": expected.id,
            "db_path": expected.path,
            "is_public": True,
        }
    )


async def register(backend: Backend, request: Request) -> Response:
    """Answer ``POST /assets/register``; a second one with the same id is a 500, as on the real server."""
    body = await requests.body(request, _REGISTER)
    file = body.url.removeprefix(f"{requests.base(request)}{KIND}/")
    is_here = backend.assets.file(file) is not None
    asset = Asset(
        id=body.file_id,
        name=body.file_name,
        path=body.db_path,
        file=file if is_here else None,
        url=None if is_here else body.url,
        file_size=body.file_size,
        mime_type=body.mime_type,
        created_at=backend.clock.now(),
    )
    if added := backend.assets.register(asset):
        return Json(added.asset_json(requests.base(request)))
    raise HTTPException(500, "Internal server error")


async def show_asset(backend: Backend, request: Request) -> Response:
    """Answer ``GET /assets/{asset_id}``."""
    return Json(_found(backend, request).asset_json(requests.base(request)))


async def delete_asset(backend: Backend, request: Request) -> Response:
    """Answer ``DELETE /assets/{asset_id}``."""
    backend.assets.delete(_found(backend, request))
    return Json({"message": "Asset deleted successfully"})


async def stored_file(backend: Backend, request: Request) -> Response:
    """Answer the address of a file."""
    if path := backend.assets.file(request.path_params["name"]):
        return StoredFile(path, media_type=media_type(path.name))
    raise HTTPException(404)


async def store(backend: Backend, request: Request) -> Response:
    """Answer a ``PUT`` to a signed address, as S3 does; the file is there when it has come whole."""
    name, signature = request.path_params["name"], request.query_params.get("X-Amz-Signature", "")
    if not backend.assets.is_expected(name, signature, request.headers.get("content-type", "")):
        return _xml("SignatureDoesNotMatch", HTTPStatus.FORBIDDEN)
    files = backend.assets.files
    draft = await asyncio.to_thread(files.draft)
    try:
        with draft.open("xb") as file:
            waiting = bytearray()
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= _WRITTEN:
                    written, waiting = bytes(waiting), bytearray()
                    await asyncio.to_thread(file.write, written)
            await asyncio.to_thread(file.write, bytes(waiting))
        files.finish(draft, name)
    finally:
        draft.unlink(missing_ok=True)
    return Response(headers={"etag": f'"{name}"'})


def _found(backend: Backend, request: Request) -> Asset:
    if asset := backend.assets.find(request.path_params["asset_id"]):
        return asset
    raise HTTPException(404, _UNKNOWN)


def _required(request: Request, name: str) -> str:
    if name not in request.query_params:
        raise UnprocessableError([problem("missing", ("query", name), "Field required", None)])
    return requests.query(request, name, _TEXT, "")


def _xml(code: str, status: int) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Response(text, status, media_type="application/xml")


ENDPOINTS: Final = (
    Endpoint("GET", "/api/assets", list_assets, ("assets_list",)),
    Endpoint("POST", "/api/assets/folder", create_folder, ("assets_folder",)),
    Endpoint("POST", "/api/assets/upload", upload),
    Endpoint("GET", "/api/assets/presigned-url", sign, ("asset_upload",)),
    Endpoint("POST", "/api/assets/register", register, ("asset_upload",)),
    Endpoint("GET", "/api/assets/{asset_id}", show_asset, ("asset_get",)),
    Endpoint("DELETE", "/api/assets/{asset_id}", delete_asset, ("asset_delete",)),
    Endpoint("GET", f"/{KIND}/{{name}}", stored_file, ("asset_file",)),
    Endpoint("PUT", f"/{KIND}/{{name}}", store, ("asset_file",)),
)
