"""List the deployments: ``GET /deployments``."""

from typing import Final

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.request import Request, query
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.deployment import DeploymentEnvironment, DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


def encode(argument: tuple[str | None, bool | None]) -> Request:
    """Ask for the deployments."""
    environment, is_fluid = argument
    return Request("GET", f"/deployments{query({'environment': environment, 'is_fluid': is_fluid})}")


OPERATION: Final = Operation("get_deployments_deployments_get", encode, returning(list[DeploymentModel]))


def deployments_list(
    core: ComfyDeployCore,
    environment: DeploymentEnvironment | str | None = None,
    options: RequestOptions | None = None,
    *,
    is_fluid: bool | None = None,
) -> Result[list[DeploymentModel], Error]:
    """Give the deployments of an environment, or all of them, with the inputs that they take.

    The server hides some of them unless ``is_fluid`` is true.
    """
    return call(core, OPERATION, (environment, is_fluid), options)


async def deployments_list_async(
    core: ComfyDeployCore,
    environment: DeploymentEnvironment | str | None = None,
    options: RequestOptions | None = None,
    *,
    is_fluid: bool | None = None,
) -> Result[list[DeploymentModel], Error]:
    """Do what ``deployments_list`` does, awaited."""
    return await call_async(core, OPERATION, (environment, is_fluid), options)
