"""List the deployments: ``GET /deployments``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import FLAG, TEXT, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.deployment import DeploymentEnvironment, DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_deployments_deployments_get",
    route("GET", "/deployments", environment=TEXT, is_fluid=FLAG),
    returning_list(DeploymentModel),
    creates="nothing",
)


def deployments_list(
    core: ComfyDeployCore,
    environment: DeploymentEnvironment | str | None = None,
    options: RequestOptions | None = None,
    *,
    is_fluid: bool | None = None,
) -> Result[list[DeploymentModel], Error]:
    """Give the deployments of an environment, or all, with their inputs; without ``is_fluid`` the server hides some."""
    return call(core, OPERATION, {"environment": environment, "is_fluid": is_fluid}, options)


async def deployments_list_async(
    core: ComfyDeployCore,
    environment: DeploymentEnvironment | str | None = None,
    options: RequestOptions | None = None,
    *,
    is_fluid: bool | None = None,
) -> Result[list[DeploymentModel], Error]:
    """Do what ``deployments_list`` does, awaited."""
    return await call_async(core, OPERATION, {"environment": environment, "is_fluid": is_fluid}, options)
