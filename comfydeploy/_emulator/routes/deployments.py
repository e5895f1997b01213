"""The routes of deployments."""

from typing import Final, Literal

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy._emulator.deployments import DEPLOYMENTS, ENVIRONMENT
from comfydeploy._emulator.routes import asked
from comfydeploy._emulator.routes.answers import Json

_ENVIRONMENT: Final[TypeAdapter[str]] = TypeAdapter(
    Literal["staging", "production", "public-share", "private-share", "community-share", "preview"]
)


async def deployments(request: Request) -> Response:
    """Answer ``GET /deployments``."""
    wanted = asked.query(request, "environment", _ENVIRONMENT, ENVIRONMENT)
    return Json([deployment.shown() for deployment in DEPLOYMENTS if wanted == ENVIRONMENT])


def deployment_routes() -> list[Route]:
    """List the routes of deployments."""
    return [Route("/api/deployments", deployments, methods=["GET"])]
