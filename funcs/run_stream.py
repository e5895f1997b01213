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
    """Create a run and give its events as they happen.

    Close the stream with ``with``, or by leaving the loop over it. Minutes of silence are normal on a cold machine,
    and an invalid graph sends its error and then nothing for ever: ``RequestOptions.idle_timeout`` (seconds) ends
    both. There is no way to resume: to call again is to pay again. The run goes on when the stream is closed; read it
    with ``run_get`` and ``stream.run_id``.
    """
    return stream(EventStream, core, OPERATION, request, options)


async def run_stream_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[AsyncEventStream, Error]:
    """Do what ``run_stream`` does, awaited, for ``async with`` and ``async for``."""
    return await stream_async(AsyncEventStream, core, OPERATION, request, options)
