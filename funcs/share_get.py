"""Read a shared deployment: ``GET /share/{username}/{slug}``.

The route and its response are known from the server's source, and were not tried.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_share_deployment_share__username___slug__get",
    route("GET", "/share/{username}/{slug}"),
    returning(DeploymentModel),
    creates="nothing",
)


def share_get(
    core: ComfyDeployCore, username: str, slug: str, options: RequestOptions | None = None
) -> Result[DeploymentModel, Error]:
    """Return a deployment that is shared under an address, with its inputs and outputs.

    ``share_slug`` of a deployment is the name of its user and the slug, with a ``_`` between them.

    It sends ``GET /share/{username}/{slug}``. What belongs to the machine is not in the answer.

    Args:
        core: The client: its key, its server and its connections.
        username: The name of the user or the organization.
        slug: The name of the shared workflow.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the deployment, or ``Failure``: an ``SDKError`` with status 404 for one that is not shared.
    """
    return call(core, OPERATION, {"username": username, "slug": slug}, options)


async def share_get_async(
    core: ComfyDeployCore, username: str, slug: str, options: RequestOptions | None = None
) -> Result[DeploymentModel, Error]:
    """Return a deployment that is shared under an address, with its inputs and outputs.

    The async version of ``share_get``, which has the details.
    """
    return await call_async(core, OPERATION, {"username": username, "slug": slug}, options)
