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
    """Return the deployments of an environment, or all of them, with their inputs.

    Without ``is_fluid`` the server leaves some out.

    It sends ``GET /deployments``.

    Args:
        core: The client: its key, its server and its connections.
        environment: ``production``, ``staging``, ``preview``, ``public-share``, ...; ``None`` for all.
        options: What is different for this call: timeout, retries, headers, deadline.
        is_fluid: ``True`` for the deployments of the current kind, which the server hides in part without it.

    Returns:
        ``Success`` with a list, which may be empty, or ``Failure``. ``raw`` of the list has the items that cannot be
        read.
    """
    return call(core, OPERATION, {"environment": environment, "is_fluid": is_fluid}, options)


async def deployments_list_async(
    core: ComfyDeployCore,
    environment: DeploymentEnvironment | str | None = None,
    options: RequestOptions | None = None,
    *,
    is_fluid: bool | None = None,
) -> Result[list[DeploymentModel], Error]:
    """Return the deployments of an environment, or all of them, with their inputs.

    The async version of ``deployments_list``, which has the details.
    """
    return await call_async(core, OPERATION, {"environment": environment, "is_fluid": is_fluid}, options)
