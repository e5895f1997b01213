"""Cancel a run: ``POST /run/{run_id}/cancel``."""

from typing import Final

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request, segment
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.cancel_run import CancelRunResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


def encode(run_id: str) -> Request:
    """Ask for the end of a run."""
    return Request("POST", f"/run/{segment(run_id, 'run_id')}/cancel")


def _what_it_means(reply: Reply) -> str | None:
    if b"Error cancel function 404" in reply.content:
        return "The run was not found: there is none, it is not yours, or it is streamed, which cannot be cancelled."
    return None


OPERATION: Final = Operation(
    "cancel_run_run__run_id__cancel_post", encode, returning(CancelRunResponse), hint=_what_it_means
)


def run_cancel(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None
) -> Result[CancelRunResponse, Error]:
    """Cancel a run; it goes on to the status ``cancelled``.

    The answer is ``success`` also for a run that had ended, which stays as it is. An unknown run, one that is not yours
    and one that is streamed are an ``SDKError`` with status 500, whose ``hint`` says so. A batch cannot be cancelled.
    """
    return call(core, OPERATION, run_id, options)


async def run_cancel_async(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None
) -> Result[CancelRunResponse, Error]:
    """Do what ``run_cancel`` does, awaited."""
    return await call_async(core, OPERATION, run_id, options)
