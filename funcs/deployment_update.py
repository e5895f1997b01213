"""Change a deployment: ``PATCH /deployment/{deployment_id}``.

The route was tried; the fields of its response are those of the server's source.
"""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, hinting, returning, status
from comfydeploy._wire.route import patching
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.deployment_request import UpdateDeploymentRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

_UNKNOWN: Final = status(500)
OPERATION: Final = Operation(
    "update_deployment_deployment__deployment_id__patch",
    patching("/deployment/{deployment_id}", UpdateDeploymentRequest),
    returning(DeploymentModel),
    creates="nothing",
    hint=hinting(
        "Nothing was changed. The deployment, the machine or the version is most likely unknown or not yours: the "
        "server answers 500 in place of 404.",
        when=_UNKNOWN,
    ),
    is_permanent=_UNKNOWN,
)


def deployment_update(
    core: ComfyDeployCore,
    deployment_id: str,
    request: UpdateDeploymentRequest | Mapping[str, Any],
    options: RequestOptions | None = None,
) -> Result[DeploymentModel, Error]:
    """Change the version, the machine or the settings of a deployment, and return the deployment.

    What is not given stays as it is. Where the machine has a version of its own, the service takes ``gpu``,
    ``run_timeout`` and ``idle_timeout`` from it unless they are given.

    It sends ``PATCH /deployment/{deployment_id}``. Sent twice it changes nothing more, so it is retried as a read is.
    The answer has no inputs and outputs: ``deployment_get`` has them.

    Args:
        core: The client: its key, its server and its connections.
        deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
        request: An ``UpdateDeploymentRequest``, or a mapping with the same keys: ``{"gpu": "A10G", "keep_warm": 1}``.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the deployment, or ``Failure``: for an unknown one an ``SDKError`` with status 500, whose
        ``hint`` says so. That error is permanent, and no retry repeats the request.
    """
    return call(core, OPERATION, {"deployment_id": deployment_id, "request": request}, options)


async def deployment_update_async(
    core: ComfyDeployCore,
    deployment_id: str,
    request: UpdateDeploymentRequest | Mapping[str, Any],
    options: RequestOptions | None = None,
) -> Result[DeploymentModel, Error]:
    """Change the version, the machine or the settings of a deployment, and return the deployment.

    The async version of ``deployment_update``, which has the details.
    """
    return await call_async(core, OPERATION, {"deployment_id": deployment_id, "request": request}, options)
