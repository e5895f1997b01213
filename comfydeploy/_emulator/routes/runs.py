"""The routes of existing runs."""

from typing import Final

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.quirks.addresses import is_valid
from comfydeploy._emulator.quirks.answers import cancel_error, quirky_json
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json, StoredFile

_EXPIRED: Final = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
_YES_OR_NO: Final = TypeAdapter(bool)


async def show_run(backend: Backend, request: Request) -> Response:
    """Answer ``GET /run/{run_id}`` and ``GET /run?run_id=``."""
    run = requests.run(request, backend.store)
    with_position = requests.query(request, "queue_position", _YES_OR_NO, "false")
    shown = run.run_json(requests.base(request), await backend.queue_position(run) if with_position else None)
    return Json(quirky_json(shown, backend.quirks, backend.clock.now()))


async def cancel_run(backend: Backend, request: Request) -> Response:
    """Answer ``POST /run/{run_id}/cancel``, also for a run that has ended."""
    broken = Quirk.BROKEN_CANCEL in backend.quirks
    if broken and (error := cancel_error(request.path_params["run_id"], backend.store)):
        raise HTTPException(500, error)
    run = requests.run(request, backend.store)
    await backend.machine.cancel(run.id, requests.base(request))
    return Json({"status": "success", "message": "Function cancelled"})


async def output_file(backend: Backend, request: Request) -> Response:
    """Answer the address of an output; only names that a run lists exist."""
    filename = request.path_params["filename"]
    path = backend.output_file(request.path_params["run_id"], filename)
    if not path:
        raise HTTPException(404)
    is_signed = Quirk.EXPIRING_ADDRESSES in backend.quirks
    if is_signed and not is_valid(request.scope["path"], request.query_params, backend.clock.now()):
        return Response(_EXPIRED, 403, media_type="application/xml")
    return StoredFile(path, media_type=media_type(filename))


ENDPOINTS: Final = (
    Endpoint("GET", "/api/run", show_run, ("run_get",)),
    Endpoint("GET", "/api/run/{run_id}", show_run, ("run_get",)),
    Endpoint("POST", "/api/run/{run_id}/cancel", cancel_run, ("run_cancel",)),
    Endpoint("GET", "/outputs/runs/{run_id}/{filename}", output_file, ("output_file",)),
)
