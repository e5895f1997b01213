"""Run a deployment and follow it: ``POST /run/deployment/stream``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers.streams import stream, stream_async
from comfydeploy._wire.run_request import streaming
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_request import DeploymentRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result
from comfydeploy.streaming import AsyncEventStream, EventStream

OPERATION: Final = streaming(
    "create_run_deployment_stream_run_deployment_stream_post", "/run/deployment/stream", DeploymentRunRequest
)


def run_deployment_stream(
    core: ComfyDeployCore, request: DeploymentRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[EventStream, Error]:
    """Create a run of a deployment and return its events as they happen.

    It sends ``POST /run/deployment/stream``, and is otherwise as ``run_stream``, which takes all three forms of
    request.

    Args:
        core: The client: its key, its server and its connections.
        request: A ``DeploymentRunRequest``, or a mapping with the same keys: ``{"deployment_id": "...", "inputs":
            {...}}``.
        options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

    Returns:
        ``Success`` with a stream, which yields ``Success(event)`` and ``Failure`` items, or ``Failure`` where it did
        not begin.
    """
    return stream(EventStream, core, OPERATION, request, options)


async def run_deployment_stream_async(
    core: ComfyDeployCore, request: DeploymentRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[AsyncEventStream, Error]:
    """Create a run of a deployment and return its events as they happen.

    The async version of ``run_deployment_stream``, which has the details; the stream is for ``async with`` and ``async
    for``.
    """
    return await stream_async(AsyncEventStream, core, OPERATION, request, options)
