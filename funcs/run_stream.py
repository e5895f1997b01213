"""Run and follow it: ``POST /run/stream``."""

from typing import Final

from comfydeploy._drivers.streams import stream, stream_async
from comfydeploy._wire.run_request import ANY_FORM, streaming
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result
from comfydeploy.streaming import AsyncEventStream, EventStream

OPERATION: Final = streaming("create_run_stream_run_stream_post", "/run/stream", *ANY_FORM)


def run_stream(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[EventStream, Error]:
    """Create a run and return its events as they happen.

    A stream cannot be resumed, and calling again creates and bills another run. The run goes on when the stream is
    closed: read it with ``run_get`` and ``stream.run_id``.

    It sends ``POST /run/stream``. Close the stream with ``with``, or by leaving the loop over it. A cold machine is
    silent for minutes, and after an invalid graph the server sends its error and then nothing: ``idle_timeout`` ends
    both.

    Args:
        core: The client: its key, its server and its connections.
        request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
        options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

    Returns:
        ``Success`` with a stream, which yields ``Success(event)`` and ``Failure`` items, or ``Failure`` where it did
        not begin. After a ``MalformedEvent`` the stream goes on; any other ``Failure`` is the last item.
    """
    return stream(EventStream, core, OPERATION, request, options)


async def run_stream_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[AsyncEventStream, Error]:
    """Create a run and return its events as they happen.

    The async version of ``run_stream``, which has the details; the stream is for ``async with`` and ``async for``.
    """
    return await stream_async(AsyncEventStream, core, OPERATION, request, options)
