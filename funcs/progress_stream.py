"""Follow all runs of a workflow: ``GET /v2/stream-progress``."""

from typing import Final

from comfydeploy._drivers.streams import stream, stream_async
from comfydeploy._wire.open_stream import decoded_by
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.progress import RunProgressDecoder
from comfydeploy._wire.route import FLAG, REQUIRED, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result
from comfydeploy.streaming import AsyncProgressStream, ProgressStream

OPERATION: Final = Operation(
    "stream_progress_endpoint_v2_v2_stream_progress_get",
    route("GET", "/v2/stream-progress", workflow_id=REQUIRED, return_run=FLAG),
    decoded_by(RunProgressDecoder),
    creates="nothing",
    accept="text/event-stream",
    read_timeout=None,
)


def progress_stream(
    core: ComfyDeployCore, workflow_id: str, options: RequestOptions | None = None, *, return_run: bool = False
) -> Result[ProgressStream, Error]:
    """Return the changes of all runs of a workflow as they happen.

    The stream begins with the next change: earlier ones, and those that happen while no reader is connected, are never
    sent. It has no end, and is silent while nothing changes: ``idle_timeout`` is the limit. So it is a hint to read a
    run now, and never the proof that nothing has happened.

    It sends ``GET /v2/stream-progress``. Filter the changes yourself: the service's filter by run sends the changes of
    other runs as well, and ends with the first of them that ends; its filter by status leaves out a change that another
    one follows closely.

    Args:
        core: The client: its key, its server and its connections.
        workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
        options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.
        return_run: ``True`` for changes with the whole ``run``, its outputs included.

    Returns:
        ``Success`` with a stream, which yields ``Success(change)`` and ``Failure`` items, or ``Failure`` where it did
        not begin: an ``SDKError`` with status 404 for an unknown workflow.
    """
    arguments = {"workflow_id": workflow_id, "return_run": return_run or None}
    return stream(ProgressStream, core, OPERATION, arguments, options)


async def progress_stream_async(
    core: ComfyDeployCore, workflow_id: str, options: RequestOptions | None = None, *, return_run: bool = False
) -> Result[AsyncProgressStream, Error]:
    """Return the changes of all runs of a workflow as they happen.

    The async version of ``progress_stream``, which has the details; the stream is for ``async with`` and ``async for``.
    """
    arguments = {"workflow_id": workflow_id, "return_run": return_run or None}
    return await stream_async(AsyncProgressStream, core, OPERATION, arguments, options)
