"""Read a deployment: ``GET /deployment/{deployment_id}``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, hinting, returning, status
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

_UNKNOWN: Final = status(500)
OPERATION: Final = Operation(
    "get_deployment_deployment__deployment_id__get",
    route("GET", "/deployment/{deployment_id}"),
    returning(DeploymentModel),
    creates="nothing",
    hint=hinting(
        "The deployment is most likely unknown, deleted or not yours: the server answers 500 in place of 404. "
        "A deployment_id is a UUID, as deployments_list returns it.",
        when=_UNKNOWN,
    ),
    is_permanent=_UNKNOWN,
)


def deployment_get(
    core: ComfyDeployCore, deployment_id: str, options: RequestOptions | None = None
) -> Result[DeploymentModel, Error]:
    """Return a deployment with its inputs and outputs.

    It sends ``GET /deployment/{deployment_id}``. ``raw`` of the deployment has the whole workflow.

    Args:
        core: The client: its key, its server and its connections.
        deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the deployment, or ``Failure``: for an unknown one an ``SDKError`` with status 500, whose
        ``hint`` says so. That error is permanent, and no retry repeats the request.
    """
    return call(core, OPERATION, {"deployment_id": deployment_id}, options)


async def deployment_get_async(
    core: ComfyDeployCore, deployment_id: str, options: RequestOptions | None = None
) -> Result[DeploymentModel, Error]:
    """Return a deployment with its inputs and outputs.

    The async version of ``deployment_get``, which has the details.
    """
    return await call_async(core, OPERATION, {"deployment_id": deployment_id}, options)
