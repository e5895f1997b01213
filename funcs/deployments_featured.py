"""List the featured deployments: ``GET /deployments/featured``.

The route and its response are known from the server's source, and were not tried.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.featured_deployment import FeaturedDeployment
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_featured_deployments_deployments_featured_get",
    route("GET", "/deployments/featured"),
    returning_list(FeaturedDeployment),
    creates="nothing",
)


def deployments_featured(
    core: ComfyDeployCore, options: RequestOptions | None = None
) -> Result[list[FeaturedDeployment], Error]:
    """Return the deployments that the service features, with their whole workflows.

    They have no ids: ``share_get`` finds one by its ``share_slug``.

    It sends ``GET /deployments/featured``.

    Args:
        core: The client: its key, its server and its connections.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with a list, which may be empty, or ``Failure``. ``raw`` of the list has the items that cannot be
        read.
    """
    return call(core, OPERATION, {}, options)


async def deployments_featured_async(
    core: ComfyDeployCore, options: RequestOptions | None = None
) -> Result[list[FeaturedDeployment], Error]:
    """Return the deployments that the service features, with their whole workflows.

    The async version of ``deployments_featured``, which has the details.
    """
    return await call_async(core, OPERATION, {}, options)
