"""The routes that list runs."""

from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments.catalogue import NotFoundError
from comfydeploy._emulator.quirks.answers import quirky_json
from comfydeploy._emulator.routes.rows import deployment_row_json, row_json, small_row_json
from comfydeploy._emulator.runs.run import Run
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json

_YES_OR_NO: Final = TypeAdapter(bool)
# SQLite's largest integer.
_NUMBER: Final[TypeAdapter[int]] = TypeAdapter(Annotated[int, Field(ge=0, lt=2**63)])
_NO_WORKFLOW: Final = "Workflow not found"


async def list_workflow_runs(backend: Backend, request: Request) -> Response:
    """Answer ``GET /workflow/{workflow_id}/runs``, newest first; an unknown workflow has no runs.

    ``with_outputs=false`` and ``with_inputs=false`` leave out these columns.
    """
    workflow_id = requests.uuid_or_text(request.path_params["workflow_id"])
    with_outputs = requests.query(request, "with_outputs", _YES_OR_NO, "true")
    with_inputs = requests.query(request, "with_inputs", _YES_OR_NO, "true")
    runs, base = backend.store.find_runs(*_page(request, "100"), workflow_id=workflow_id), requests.base(request)

    def row(run: Run) -> dict[str, Any]:
        deployment = backend.catalogue.find("workflow_id", workflow_id, _NO_WORKFLOW)
        return row_json(run, deployment, base, with_outputs=with_outputs, with_inputs=with_inputs)

    return Json([quirky_json(row(run), backend.quirks, backend.clock.now()) for run in runs])


async def list_small_rows(backend: Backend, request: Request) -> Response:
    """Answer ``GET /v2/workflow/{workflow_id}/runs``, newest first.

    ``rf`` leaves out the runs that were created before it, in seconds since 1970; ``status`` and ``deployment_id``
    choose as well.
    """
    workflow_id = requests.uuid_or_text(request.path_params["workflow_id"])
    backend.catalogue.find("workflow_id", workflow_id, _NO_WORKFLOW)
    since = requests.query(request, "rf", _NUMBER, "0")
    deployment_id = request.query_params.get("deployment_id")
    runs = backend.store.find_runs(
        *_page(request, "100"),
        workflow_id=workflow_id,
        deployment_id=deployment_id and requests.uuid_or_text(deployment_id),
        status=request.query_params.get("status"),
        since=since,
    )
    return Json([quirky_json(small_row_json(run), backend.quirks, backend.clock.now()) for run in runs])


async def list_deployment_runs(backend: Backend, request: Request) -> Response:
    """Answer ``GET /deployment/{deployment_id}/runs``, newest first; an unknown deployment is a 500.

    The query ``status`` is ignored, as on the real server.
    """
    deployment_id = requests.uuid_or_text(request.path_params["deployment_id"])
    try:
        backend.catalogue.find("id", deployment_id, "")
    except NotFoundError:
        raise HTTPException(500, "Internal server error") from None
    runs = backend.store.find_runs(*_page(request, "60"), deployment_id=deployment_id)
    meta: dict[str, Any] = {"totalRowCount": 0, "filterRowCount": 0, "chartData": []}
    return Json({"data": [deployment_row_json(run) for run in runs], "meta": meta})


def _page(request: Request, usual_limit: str) -> tuple[int, int]:
    return requests.query(request, "limit", _NUMBER, usual_limit), requests.query(request, "offset", _NUMBER, "0")


ENDPOINTS: Final = (
    Endpoint("GET", "/api/workflow/{workflow_id}/runs", list_workflow_runs, ("runs_list",)),
    Endpoint("GET", "/api/v2/workflow/{workflow_id}/runs", list_small_rows, ("workflow_runs",)),
    Endpoint("GET", "/api/deployment/{deployment_id}/runs", list_deployment_runs, ("deployment_runs",)),
)
