"""The routes of machines, public models and usage."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from pydantic import Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.clock import to_naive
from comfydeploy._emulator.deployments.deployment import CREATED
from comfydeploy._emulator.runs.run import Run
from comfydeploy._emulator.validation import UnprocessableError, problem, validated
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json

_FLAG: Final = TypeAdapter(bool)
_NUMBER: Final[TypeAdapter[int]] = TypeAdapter(Annotated[int, Field(ge=0, lt=2**63)])
_ID: Final = TypeAdapter(UUID)
_TIME: Final = TypeAdapter(datetime)
_PRICE: Final = 0.000038  # US dollars for a second of CPU
_FREE_CENTS: Final = 500


async def list_machines(backend: Backend, request: Request) -> Response:
    """Answer ``GET /machines``, filtered by ``search``, ``is_deleted`` and ``is_workspace``."""
    limit, offset = (
        requests.query(request, name, _NUMBER, usual) for name, usual in (("limit", "100"), ("offset", "0"))
    )
    search = request.query_params.get("search", "").lower()
    is_workspace = requests.query(request, "is_workspace", _FLAG, "false")
    found = [
        row
        for one, row in zip(backend.listings.machines(), backend.listings.machine_rows(), strict=True)
        if search in one["name"].lower() and one["is_workspace"] == is_workspace and _is_chosen(request, one)
    ]
    return Json(found[offset : offset + limit])


async def show_machine(backend: Backend, request: Request) -> Response:
    """Answer ``GET /machine/{machine_id}``."""
    machine_id = str(validated(_ID, request.path_params["machine_id"], ("path", "machine_id")))
    for one in backend.listings.machines():
        if one["id"].lower() == machine_id and not one["deleted"]:
            return Json(one)
    raise HTTPException(404, "Machine not found")


async def list_models(backend: Backend, request: Request) -> Response:  # noqa: ARG001 - the signature of an endpoint
    """Answer ``GET /models``."""
    return Json(backend.listings.models())


async def search_models(backend: Backend, request: Request) -> Response:
    """Answer ``GET /search/model``: here among the public models, because no other site is searched."""
    if "query" not in request.query_params:
        raise UnprocessableError([problem("missing", ("query", "query"), "Field required", None)])
    text, provider = request.query_params["query"].lower(), request.query_params.get("provider", "all")
    named = [one["name"] for one in backend.listings.models() if text in one["name"].lower()]
    return Json({"models": [_found_model(name) for name in named if provider in ("all", "comfyui")]})


async def show_usage(backend: Backend, request: Request) -> Response:
    """Answer ``GET /platform/usage``: the seconds of the runs that ended in the period, by machine and GPU."""
    now = backend.clock.now()
    begin, end = (_moment(request, name, usual) for name, usual in (("start_time", CREATED), ("end_time", now)))
    names = {one["id"]: one["name"] for one in backend.listings.machines()}
    seconds: dict[tuple[str, str], float] = {}
    for run in backend.store.runs():
        if run.ended_at and begin <= run.ended_at < end:
            used = (run.machine_id, run.gpu or "")
            seconds[used] = seconds.get(used, 0.0) + _seconds(run)
    usage = [
        {
            "machine_id": machine_id,
            "machine_name": names.get(machine_id),
            "gpu": gpu or None,
            "ws_gpu": None,
            "usage_in_sec": used,
            "cost_item_title": None,
            "cost": used * _PRICE,
        }
        for (machine_id, gpu), used in sorted(seconds.items(), key=lambda item: -item[1])
    ]
    total = sum(seconds.values()) * _PRICE
    return Json(
        {
            "usage": usage,
            "total_cost": total,
            "final_cost": max(total - _FREE_CENTS / 100, 0),
            "free_tier_credit": _FREE_CENTS,
            "credit": 0.0,
            "period": {"start": to_naive(begin), "end": to_naive(end)},
        }
    )


def _found_model(name: str) -> dict[str, Any]:
    address = f"https://example.com/{quote(name)}.safetensors"
    return {
        "name": name,
        "type": "checkpoints",
        "provider": "comfyui",
        "filename": f"{name}.safetensors",
        "save_path": "checkpoints",
        "size": None,
        "download_url": address,
        "reference_url": address,
    }


def _is_chosen(request: Request, machine: dict[str, Any]) -> bool:
    if "is_deleted" not in request.query_params:
        return True
    return machine["deleted"] is requests.query(request, "is_deleted", _FLAG, "")


def _moment(request: Request, name: str, usual: datetime) -> datetime:
    given = requests.query(request, name, _TIME, usual.isoformat())
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _seconds(run: Run) -> float:
    return (run.ended_at - run.started_at).total_seconds() if run.started_at and run.ended_at else 0.0


ENDPOINTS: Final = (
    Endpoint("GET", "/api/machines", list_machines, ("machines_list",)),
    Endpoint("GET", "/api/machine/{machine_id}", show_machine, ("machine_get",)),
    Endpoint("GET", "/api/models", list_models, ("models_list",)),
    Endpoint("GET", "/api/search/model", search_models, ("models_search",)),
    Endpoint("GET", "/api/platform/usage", show_usage, ("usage",)),
)
