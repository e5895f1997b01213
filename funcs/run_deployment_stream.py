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
    """Run a deployment and give its events as they happen; as ``run_stream``, which takes all three forms."""
    return stream(EventStream, core, OPERATION, request, options)


async def run_deployment_stream_async(
    core: ComfyDeployCore, request: DeploymentRunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[AsyncEventStream, Error]:
    """Do what ``run_deployment_stream`` does, awaited, for ``async with`` and ``async for``."""
    return await stream_async(AsyncEventStream, core, OPERATION, request, options)
