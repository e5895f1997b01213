"""Run and wait for the outputs: ``POST /run/sync``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.run_request import ANY_FORM, MAY_EXIST, creating
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import RunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "create_run_sync_run_sync_post",
    creating("/run/sync", *ANY_FORM),
    returning(list[WorkflowRunOutputModel]),
    read_timeout=None,
    caution=MAY_EXIST,
)


def run_sync(
    core: ComfyDeployCore, request: RunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Create a run, wait until it has ended and give its outputs, newest first.

    There is no time limit by default. **An empty list may be a run that failed or timed out**: the server answers the
    same, without a run id, so use ``run_stream`` or ``run_queue`` where the difference matters. A broken connection
    does not end the run: see ``fate`` of the error.
    """
    return call(core, OPERATION, request, options)


async def run_sync_async(
    core: ComfyDeployCore, request: RunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Do what ``run_sync`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
