"""Cancel a run: ``POST /run/{run_id}/cancel``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, hinting, returning, status
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.cancel_run import CancelRunResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

_NOT_FOUND: Final = status(500, containing=b"Error cancel function 404")
OPERATION: Final = Operation(
    "cancel_run_run__run_id__cancel_post",
    route("POST", "/run/{run_id}/cancel"),
    returning(CancelRunResponse),
    creates="nothing",
    hint=hinting(
        "The run was not found: it may be unknown, not yours, or streamed, which cannot be cancelled.", when=_NOT_FOUND
    ),
    is_permanent=_NOT_FOUND,
)


def run_cancel(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None
) -> Result[CancelRunResponse, Error]:
    """Cancel a run; its status becomes ``cancelled``.

    The answer is ``success`` also for a run that had ended, which stays as it is.

    It sends ``POST /run/{run_id}/cancel``. A batch and a streamed run cannot be cancelled.

    Args:
        core: The client: its key, its server and its connections.
        run_id: The id of the run, a UUID.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success``, or ``Failure``: an ``SDKError`` with status 500, whose ``hint`` says so, for a run that is unknown,
        not yours or streamed. That error is permanent, and no retry repeats the request.
    """
    return call(core, OPERATION, {"run_id": run_id}, options)


async def run_cancel_async(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None
) -> Result[CancelRunResponse, Error]:
    """Cancel a run; its status becomes ``cancelled``.

    The async version of ``run_cancel``, which has the details.
    """
    return await call_async(core, OPERATION, {"run_id": run_id}, options)
