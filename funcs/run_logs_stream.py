"""Follow the log of a run: ``GET /v2/stream-logs``."""

from typing import Final

from comfydeploy._drivers.streams import stream, stream_async
from comfydeploy._wire.logs import RunLogDecoder
from comfydeploy._wire.open_stream import decoded_by
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result
from comfydeploy.streaming import AsyncLogStream, LogStream

OPERATION: Final = Operation(
    "stream_logs",
    route("GET", "/v2/stream-logs?run_id={run_id}"),
    decoded_by(RunLogDecoder),
    creates="nothing",
    accept="text/event-stream",
    read_timeout=None,
)


def run_logs_stream(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None
) -> Result[LogStream, Error]:
    """Return the lines of a run's log as they are written.

    The stream ends with the server's end mark, or where the server has no stream: then ``run_logs`` has the lines once
    the run has ended.

    It sends ``GET /v2/stream-logs``. The server may stay silent without an end: ``idle_timeout`` is the limit. Lines
    with the level ``webhook`` contain the whole address of a webhook.

    Args:
        core: The client: its key, its server and its connections.
        run_id: The id of the run, a UUID.
        options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

    Returns:
        ``Success`` with a stream, which yields ``Success(line)`` and ``Failure`` items, or ``Failure`` where it did not
        begin.
    """
    return stream(LogStream, core, OPERATION, {"run_id": run_id}, options)


async def run_logs_stream_async(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None
) -> Result[AsyncLogStream, Error]:
    """Return the lines of a run's log as they are written.

    The async version of ``run_logs_stream``, which has the details; the stream is for ``async with`` and ``async for``.
    """
    return await stream_async(AsyncLogStream, core, OPERATION, {"run_id": run_id}, options)
