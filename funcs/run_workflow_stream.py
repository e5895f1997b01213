"""Run a whole graph and follow it: ``POST /run/workflow/stream``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.streams import stream, stream_async
from comfydeploy._wire.run_request import streaming
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_request import WorkflowRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result
from comfydeploy.streaming import AsyncEventStream, EventStream

OPERATION: Final = streaming(
    "create_run_workflow_stream_run_workflow_stream_post", "/run/workflow/stream", WorkflowRunRequest
)


def run_workflow_stream(
    core: ComfyDeployCore, request: WorkflowRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[EventStream, Error]:
    """Create a run of a whole graph and return its events as they happen.

    It sends ``POST /run/workflow/stream``, and is otherwise as ``run_stream``, which takes all three forms of request.

    Args:
        core: The client: its key, its server and its connections.
        request: A ``WorkflowRunRequest``, or a mapping with the same keys: ``workflow_id``, ``workflow_api_json``,
            ``inputs``.
        options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

    Returns:
        ``Success`` with a stream, which yields ``Success(event)`` and ``Failure`` items, or ``Failure`` where it did
        not begin.
    """
    return stream(EventStream, core, OPERATION, request, options)


async def run_workflow_stream_async(
    core: ComfyDeployCore, request: WorkflowRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[AsyncEventStream, Error]:
    """Create a run of a whole graph and return its events as they happen.

    The async version of ``run_workflow_stream``, which has the details; the stream is for ``async with`` and ``async
    for``.
    """
    return await stream_async(AsyncEventStream, core, OPERATION, request, options)
