"""The routes of deployments."""

from typing import Final, Literal

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments.catalogue import NotFoundError
from comfydeploy._emulator.deployments.deployment import ENVIRONMENT
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json

_ENVIRONMENT: Final[TypeAdapter[str]] = TypeAdapter(
    Literal["staging", "production", "public-share", "private-share", "community-share", "preview"]
)


async def list_deployments(backend: Backend, request: Request) -> Response:
    """Answer ``GET /deployments``."""
    environment = requests.query(request, "environment", _ENVIRONMENT, ENVIRONMENT)
    return Json([one.deployment_json() for one in backend.catalogue.all() if environment == ENVIRONMENT])


async def show_deployment(backend: Backend, request: Request) -> Response:
    """Answer ``GET /deployment/{deployment_id}``; an unknown id is a 500, as on the real server."""
    deployment_id = requests.uuid_or_text(request.path_params["deployment_id"])
    try:
        return Json(backend.catalogue.find("id", deployment_id, "").single_json())
    except NotFoundError:
        raise HTTPException(500, "Internal server error") from None


async def show_version(backend: Backend, request: Request) -> Response:
    """Answer ``GET /workflow-version/{version_id}``: the version with its ``workflow_id``."""
    version_id = requests.uuid_or_text(request.path_params["version_id"])
    return Json(backend.catalogue.find("version_id", version_id, "Workflow version not found").version_json())


ENDPOINTS: Final = (
    Endpoint("GET", "/api/deployments", list_deployments, ("deployments_list",)),
    Endpoint("GET", "/api/deployment/{deployment_id}", show_deployment, ("deployment_get",)),
    Endpoint("GET", "/api/workflow-version/{version_id}", show_version, ("workflow_version_get",)),
)
