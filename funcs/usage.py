"""Read what the account has used: ``GET /platform/usage``.

The route was tried; the fields of its response are those of the server's source.
"""

from datetime import datetime
from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import TIME, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.usage import Usage
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_usage_platform_usage_get",
    route("GET", "/platform/usage", start_time=TIME, end_time=TIME),
    returning(Usage),
    creates="nothing",
)


def usage(
    core: ComfyDeployCore,
    options: RequestOptions | None = None,
    *,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
) -> Result[Usage, Error]:
    """Return the use of machines in a period, and its cost.

    What still goes on is not in it.

    It sends ``GET /platform/usage``.

    Args:
        core: The client: its key, its server and its connections.
        options: What is different for this call: timeout, retries, headers, deadline.
        start_time: The begin, an aware time; without it the last invoice, or the creation of the account.
        end_time: The end, an aware time; without it now.

    Returns:
        ``Success`` with seconds and US dollars by machine and GPU, or ``Failure``.
    """
    return call(core, OPERATION, {"start_time": start_time, "end_time": end_time}, options)


async def usage_async(
    core: ComfyDeployCore,
    options: RequestOptions | None = None,
    *,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
) -> Result[Usage, Error]:
    """Return the use of machines in a period, and its cost.

    The async version of ``usage``, which has the details.
    """
    return await call_async(core, OPERATION, {"start_time": start_time, "end_time": end_time}, options)
