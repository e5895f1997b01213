"""Calls whose response is a file, blocking and async: into memory, or in pieces into a target of the caller."""

from typing import TypeVar, cast

from comfydeploy._drivers.call import call, call_async
from comfydeploy._drivers.receiving import Terms, opened, opened_async, receive, receive_async
from comfydeploy._drivers.sinks import Sink, Target
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.transport_errors import response_error
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import ComfyDeployError, Error
from comfydeploy.models.media_file import MediaFile
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Result, Success

A = TypeVar("A")


def download(
    core: ComfyDeployCore,
    operation: Operation[A, Reply],
    argument: A,
    options: RequestOptions | None,
    to: Target | None,
) -> Result[MediaFile, Error]:
    """Make a call whose response is a file."""
    try:
        with opened(Sink(to)) as sink:
            result = call(core, operation, argument, options)
            if not isinstance(result, Success):
                return result
            reply = result.unwrap()
            error = receive(reply, sink, Terms())
            return Success(media_file(reply, sink, sink.commit())) if error is None else Failure(error)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return unwritten(error)


async def download_async(
    core: ComfyDeployCore,
    operation: Operation[A, Reply],
    argument: A,
    options: RequestOptions | None,
    to: Target | None,
) -> Result[MediaFile, Error]:
    """Make a call whose response is a file, async."""
    from asyncio import to_thread

    try:
        async with opened_async(Sink(to)) as sink:
            result = await call_async(core, operation, argument, options)
            if not isinstance(result, Success):
                return result
            reply = result.unwrap()
            error = await receive_async(reply, sink, Terms())
            if error is not None:
                return Failure(error)
            return Success(media_file(reply, sink, await to_thread(sink.commit)))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return unwritten(error)


def media_file(reply: Reply, sink: Sink, content: bytes) -> MediaFile:
    """Return the value of a received file."""
    return MediaFile(content_type=reply.content_type, size=sink.size, content=content)


def unwritten(error: Exception) -> Failure[Error]:
    """Return the failure of a target that cannot be opened or written, or of wrong arguments."""
    if isinstance(error, ComfyDeployError):
        return Failure(cast("Error", error.with_traceback(None)))
    return Failure(response_error(error, "answered", closed=False))
