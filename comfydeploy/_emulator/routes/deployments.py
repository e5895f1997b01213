"""The routes of deployments."""

from typing import Final, Literal

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments import ENVIRONMENT
from comfydeploy._emulator.routes import asked
from comfydeploy._emulator.routes.answers import Json

_ENVIRONMENT: Final[TypeAdapter[str]] = TypeAdapter(
    Literal["staging", "production", "public-share", "private-share", "community-share", "preview"]
)


class DeploymentRoutes:
    """Shows what can be run."""

    def __init__(self, backend: Backend) -> None:
        self._deployments: Final = backend.deployments

    def routes(self) -> list[Route]:
        """List the routes of deployments."""
        return [Route("/api/deployments", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer ``GET /deployments``."""
        wanted = asked.query(request, "environment", _ENVIRONMENT, ENVIRONMENT)
        return Json([deployment.shown() for deployment in self._deployments.all if wanted == ENVIRONMENT])
