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
    """Shows the deployments."""

    def __init__(self, backend: Backend) -> None:
        self._catalogue: Final = backend.catalogue

    def routes(self) -> list[Route]:
        """List the routes of deployments."""
        return [Route("/api/deployments", self.list, methods=["GET"])]

    async def list(self, request: Request) -> Response:
        """Answer ``GET /deployments``."""
        wanted = asked.query(request, "environment", _ENVIRONMENT, ENVIRONMENT)
        return Json([one.shown() for one in self._catalogue.all() if wanted == ENVIRONMENT])
