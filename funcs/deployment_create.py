"""Create or replace a deployment: ``POST /deployment``.

The route was tried; the fields of its response are those of the server's source.
"""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, first_of, hinting, in_doubt, returning, status
from comfydeploy._wire.route import posting
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.deployment_request import CreateDeploymentRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "create_deployment_deployment_post",
    posting("/deployment", CreateDeploymentRequest),
    returning(DeploymentModel),
    creates="deployment",
    hint=first_of(
        hinting(
            "Nothing was changed: the machine or the workflow is unknown or not yours. The server answers 500 in place "
            "of 404.",
            when=status(500, containing=b"404: "),
        ),
        hinting(
            "The deployment may have been created or changed; look with deployments_list. The server answers 500 also "
            "for an unknown version of a workflow or a machine, and for an unknown environment.",
            when=in_doubt,
        ),
    ),
)


def deployment_create(
    core: ComfyDeployCore, request: CreateDeploymentRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[DeploymentModel, Error]:
    """Deploy a version of a workflow in an environment, and return the deployment.

    A workflow has one deployment in each environment: where there is one, it is moved to this version and machine, and
    keeps its id.

    The service ignores the description of the request and uses that of the workflow. The answer has no inputs and
    outputs: ``deployment_get`` has them.

    It sends ``POST /deployment``. The request is never repeated where the deployment may have been created: two
    requests at once could make two deployments of one environment, after which the service answers each further one
    with 500.

    Args:
        core: The client: its key, its server and its connections.
        request: A ``CreateDeploymentRequest``, or a mapping with the same keys: ``{"workflow_id": "...",
            "workflow_version_id": "...", "machine_id": "...", "environment": "staging"}``.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the deployment, or ``Failure``: an ``SDKError`` with status 500, whose ``hint`` says what it
        may mean, for a machine, workflow or version that is unknown.
    """
    return call(core, OPERATION, request, options)


async def deployment_create_async(
    core: ComfyDeployCore, request: CreateDeploymentRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[DeploymentModel, Error]:
    """Deploy a version of a workflow in an environment, and return the deployment.

    The async version of ``deployment_create``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
