"""The routes of deployments."""

from typing import Final, Literal

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
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


ENDPOINTS: Final = (Endpoint("GET", "/api/deployments", list_deployments, ("deployments_list",)),)
