"""Run a whole graph and wait for the outputs: ``POST /run/workflow/sync``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import waiting
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import WorkflowRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = waiting("sync_workflow_run_run_workflow_sync_post", "/run/workflow/sync", WorkflowRunRequest)


def run_workflow_sync(
    core: ComfyDeployCore, request: WorkflowRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Run a whole graph and give its outputs, newest first; as ``run_sync``, which takes all three forms."""
    return call(core, OPERATION, request, options)


async def run_workflow_sync_async(
    core: ComfyDeployCore, request: WorkflowRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[list[WorkflowRunOutputModel], Error]:
    """Do what ``run_workflow_sync`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
