"""Run and follow it: ``POST /run/stream``."""

from collections.abc import Mapping
from typing import Any, Final

from comfydeploy._drivers import stream, stream_async
from comfydeploy._wire.operation import Operation, as_it_is
from comfydeploy._wire.run_request import ANY_FORM, NO_BATCH, creating
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_request import RunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result
from comfydeploy.streaming import AsyncEventStream, EventStream

OPERATION: Final = Operation(
    "create_run_stream_run_stream_post",
    creating("/run/stream", *ANY_FORM),
    as_it_is,
    accept="text/event-stream",
    read_timeout=None,
    caution=NO_BATCH,
)


def run_stream(
    core: ComfyDeployCore, request: RunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[EventStream, Error]:
    """Create a run and give its events as they happen.

    Close the stream with ``with``, or by leaving the loop over it. Minutes of silence are normal on a cold machine,
    and an invalid graph sends its error and then nothing for ever: ``RequestOptions.idle_timeout`` (seconds) ends
    both. There is no way to resume: to call again is to pay again. The run goes on when the stream is closed; read it
    with ``run_get`` and ``stream.run_id``.
    """
    return stream(EventStream, core, OPERATION, request, options)


async def run_stream_async(
    core: ComfyDeployCore, request: RunRequest | Mapping[str, Any], options: RequestOptions | None = None
) -> Result[AsyncEventStream, Error]:
    """Do what ``run_stream`` does, awaited, for ``async with`` and ``async for``."""
    return await stream_async(AsyncEventStream, core, OPERATION, request, options)
