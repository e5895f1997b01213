"""The routes of existing runs."""

from typing import Annotated, Final

from pydantic import Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.quirks.answers import cancel_error, quirky_times
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.routes.rows import row_json
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json, StoredFile

_YES_OR_NO: Final = TypeAdapter(bool)
# SQLite's largest integer.
_NUMBER: Final[TypeAdapter[int]] = TypeAdapter(Annotated[int, Field(ge=0, lt=2**63)])


async def show_run(backend: Backend, request: Request) -> Response:
    """Answer ``GET /run/{run_id}`` and ``GET /run?run_id=``."""
    run = requests.run(request, backend.store)
    with_position = requests.query(request, "queue_position", _YES_OR_NO, "false")
    shown = run.run_json(requests.base(request), backend.queue_position(run) if with_position else None)
    return Json(quirky_times(shown, backend.quirks))


async def cancel_run(backend: Backend, request: Request) -> Response:
    """Answer ``POST /run/{run_id}/cancel``, also for a run that has ended."""
    broken = Quirk.BROKEN_CANCEL in backend.quirks
    if broken and (error := cancel_error(request.path_params["run_id"], backend.store)):
        raise HTTPException(500, error)
    run = requests.run(request, backend.store)
    await backend.machine.cancel(run.id, requests.base(request))
    return Json({"status": "success", "message": "Function cancelled"})


async def list_workflow_runs(backend: Backend, request: Request) -> Response:
    """Answer ``GET /workflow/{workflow_id}/runs``; an unknown workflow has no runs."""
    limit = requests.query(request, "limit", _NUMBER, "100")
    offset = requests.query(request, "offset", _NUMBER, "0")
    workflow_id = requests.uuid_or_text(request.path_params["workflow_id"])
    find, base = backend.catalogue.find, requests.base(request)
    return Json(
        [
            quirky_times(row_json(run, find("workflow_id", workflow_id, "Workflow not found"), base), backend.quirks)
            for run in backend.store.runs_of(workflow_id, limit, offset)
        ]
    )


async def output_file(backend: Backend, request: Request) -> Response:
    """Answer the address of an output; only names that a run lists exist."""
    run_id, filename = request.path_params["run_id"], request.path_params["filename"]
    run = backend.store.run(run_id)
    if not run or filename not in [file.filename for file in run.files]:
        raise HTTPException(404)
    return StoredFile(backend.store.file(run_id, filename), media_type=media_type(filename))


ENDPOINTS: Final = (
    Endpoint("GET", "/api/run", show_run, ("run_get",)),
    Endpoint("GET", "/api/run/{run_id}", show_run, ("run_get",)),
    Endpoint("POST", "/api/run/{run_id}/cancel", cancel_run, ("run_cancel",)),
    Endpoint("GET", "/api/workflow/{workflow_id}/runs", list_workflow_runs, ("runs_list",)),
    Endpoint("GET", "/outputs/runs/{run_id}/{filename}", output_file, ("output_file",)),
)
