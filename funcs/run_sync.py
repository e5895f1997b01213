"""Run and wait for the outputs: ``POST /run/sync``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import ANY_FORM, waiting
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = waiting("create_run_sync_run_sync_post", "/run/sync", *ANY_FORM)


def run_sync(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Create a run, wait until it has ended and give its outputs, newest first.

    There is no time limit by default. **An empty list may be a run that failed or timed out**: the server answers the
    same, without a run id, so use ``run_stream`` or ``run_queue`` where the difference matters. A broken connection
    does not end the run: see ``fate`` of the error.
    """
    return call(core, OPERATION, request, options)


async def run_sync_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Do what ``run_sync`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
