"""The body of a response into a sink, blocking and async; the async functions write in a thread."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic
from typing import Any, Final, TypeAlias, cast

from attrs import evolve, frozen

from comfydeploy._drivers.sinks import Sink
from comfydeploy._http.connections import running_loop
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.deadline import limits_of
from comfydeploy._wire.file_body import FileBody
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.transport_errors import Reading, response_error
from comfydeploy.errors import ComfyDeployError, Error

DownloadProgress: TypeAlias = Callable[[int, int | None], object]

# One hand-over to a thread costs as much as writing a part of this size.
_WRITTEN: Final = 1024 * 1024


@frozen
class Terms:
    """How a body is received: ``progress`` is called with the bytes so far and in all, ``max_size`` limits the file."""

    progress: DownloadProgress | None = None
    max_size: int | None = None


def checked_terms(terms: Terms) -> None:
    """Raise ``SDKValidationError`` for wrong arguments."""
    progress: Any = terms.progress
    if progress is not None and not callable(progress):
        raise invalid_argument("progress", f"expected a function, got {type(progress).__name__}")
    if terms.max_size is not None and (type(terms.max_size) is not int or terms.max_size < 0):
        raise invalid_argument("max_size", f"expected bytes as an integer not below 0, got {terms.max_size!r}")


@contextmanager
def opened(sink: Sink) -> Generator[Sink]:
    """Open a sink, and close it at the end."""
    try:
        sink.open()
        yield sink
    finally:
        sink.close()


@asynccontextmanager
async def opened_async(sink: Sink) -> AsyncGenerator[Sink]:
    """Open a sink in a thread, and close it at the end, also while a thread still works on it."""
    from asyncio import shield, to_thread

    loop = running_loop()
    try:
        await to_thread(sink.open)
        yield sink
    finally:
        sink.stop()
        await shield(loop.run_in_executor(None, sink.close))  # a second cancellation must not prevent it


def receive(reply: Reply, sink: Sink, terms: Terms) -> Error | None:
    """Read a body into a sink; return the error that ended it early."""
    response, client = reply.source
    try:
        body = _body(reply, response, terms)
        for data in response.iter_bytes() if response.is_stream_consumed else response.iter_raw():
            _write(body, data, sink, terms)
            if terms.progress is not None:
                terms.progress(body.received, body.length)
        body.finish()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _ended_by(error, response, client)
    finally:
        response.close()
    return None


async def receive_async(reply: Reply, sink: Sink, terms: Terms) -> Error | None:
    """Read a body into a sink, async; return the error that ended it early."""
    from asyncio import to_thread

    response, client = reply.source
    try:
        body = _body(reply, response, terms)
        came, waiting, least = 0, bytearray(), 0 if sink.is_in_memory else _WRITTEN
        async for data in response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw():
            came += len(data)
            waiting += data
            if len(waiting) >= least:
                written, waiting = bytes(waiting), bytearray()
                await _write_async(body, written, sink, terms)
            if terms.progress is not None:
                terms.progress(came, body.length)
        await to_thread(_write, body, bytes(waiting), sink, terms)
        body.finish()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _ended_by(error, response, client)
    finally:
        await response.aclose()
    return None


async def _write_async(body: FileBody, data: bytes, sink: Sink, terms: Terms) -> None:
    from asyncio import to_thread

    if sink.is_in_memory:
        _write(body, data, sink, terms)
    else:
        await to_thread(_write, body, data, sink, terms)


def _body(reply: Reply, response: Any, terms: Terms) -> FileBody:
    # A hook or a transport of the caller may have read it.
    body = FileBody(reply, is_decoded=response.is_stream_consumed)
    if body.is_identity:
        _check_size(body.length or 0, terms)
    return body


def _write(body: FileBody, data: bytes, sink: Sink, terms: Terms) -> None:
    for piece in body.feed(data):
        _check_size(sink.size + len(piece), terms)
        sink.write(piece)


def _check_size(size: int, terms: Terms) -> None:
    if terms.max_size is not None and size > terms.max_size:
        reason = f"the file is larger than {terms.max_size:,} bytes"
        raise evolve(invalid_argument("max_size", reason), fate="answered")


def _ended_by(error: Exception, response: Any, client: Any) -> Error:
    if isinstance(error, ComfyDeployError):
        return cast("Error", error.with_traceback(None))
    reading = Reading(limits_of(response.request).get("read"), monotonic())
    return response_error(error, "answered", closed=client.is_closed, reading=reading)
