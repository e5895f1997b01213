"""Streams of results: the events of a run, the lines of its log, and the states of a watched run."""

import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, Self, TypeAlias, TypeVar

from comfydeploy._wire.deadline import limits_of
from comfydeploy._wire.open_stream import Decoder
from comfydeploy._wire.stream_state import StreamState
from comfydeploy.errors import StreamError
from comfydeploy.models.run_log import RunLogLine
from comfydeploy.models.run_stream import RunStream
from comfydeploy.result import Result
from comfydeploy.watching import AsyncRunWatch, RunWatch

if TYPE_CHECKING:
    from asyncio import Task

    import httpx

    from comfydeploy.models.run_progress import RunProgress
    from comfydeploy.outcome import RunFailed

__all__ = [
    "AsyncEventStream",
    "AsyncItemStream",
    "AsyncLogStream",
    "AsyncProgressStream",
    "AsyncRunWatch",
    "EventStream",
    "ItemStream",
    "LogStream",
    "ProgressStream",
    "RunWatch",
    "StreamItem",
]

T = TypeVar("T")
StreamItem: TypeAlias = Result[RunStream, StreamError]

_LEFT: Final = "The stream was closed by the caller"
_INTERRUPTED: Final = "Reading the stream was interrupted"


class _Stream(Generic[T]):
    """The common part of blocking and async streams."""

    def __init__(
        self, response: "httpx.Response", client: "httpx.Client | httpx.AsyncClient", decoder: Decoder[T]
    ) -> None:
        self._response = response
        self._client = client
        self._decoder = decoder
        self._state = StreamState(decoder, limits_of(response.request).get("read"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(run_id={self.run_id!r}, {self._openness})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from comfydeploy._display.bundle import stream_bundle

        return stream_bundle(type(self).__name__, self.run_id, self._openness, self.failure)

    @property
    def _openness(self) -> str:
        return "ended" if self._state.has_ended else "open"

    @property
    def run_id(self) -> str | None:
        """The id of the run, for ``run_get``: set as soon as an event that was read names it."""
        return self._state.run_id

    @property
    def failure(self) -> "RunFailed | None":
        """The reason of a failed run, set as soon as an event that was read has it."""
        if self._decoder.failure is None:
            return None
        from comfydeploy._wire.failure import run_failed, stream_reason

        reason = stream_reason(self._decoder.failure)
        return run_failed(reason, "stream", None, run_id=self.run_id) if reason else None


class ItemStream(_Stream[T], Iterator[Result[T, StreamError]]):
    """A stream of the server: a context manager and an iterator of results.

    An item is ``Success(event)``, or ``Failure(MalformedEvent)`` for one that cannot be read, after which the stream
    goes on, or another ``Failure``, which is the last item. Leaving the loop, the ``with`` block or the last
    reference closes the connection; the run itself goes on. Reading after that returns a ``RequestAbortedError``.
    One thread reads at a time: a second one receives an ``UnexpectedClientError``, and the first one reads on.
    """

    def __init__(self, response: "httpx.Response", client: "httpx.Client", decoder: Decoder[T]) -> None:
        super().__init__(response, client, decoder)
        self._chunks = response.iter_bytes()
        self._process = os.getpid()

    def __next__(self) -> Result[T, StreamError]:
        state = self._state
        while not state.ready:
            if state.has_ended:
                raise StopIteration
            if not self._fill():
                return state.refused_reader()
        return state.ready.popleft()

    def __iter__(self) -> Iterator[Result[T, StreamError]]:  # noqa: PYI034 - a generator, which its loop closes
        # A generator, not the stream itself, because it is closed when its loop is left.
        state, ready, is_reader = self._state, self._state.ready, True
        try:
            while True:
                while ready:
                    yield ready.popleft()
                if state.has_ended:
                    return
                if not self._fill():
                    is_reader = False
                    yield state.refused_reader()
                    return
        finally:
            if is_reader:
                self.close()

    def _fill(self) -> bool:
        """Read until there are items or the end; return ``False`` while another thread reads."""
        state = self._state
        if not state.reader.acquire(blocking=False):
            return False
        try:
            if state.expire(monotonic()) or state.take(next(self._chunks, None)):
                self._response.close()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - every exception is the last item
            state.fail(error, monotonic(), closed=self._client.is_closed)
            self._response.close()
        except BaseException:  # such as Ctrl-C: httpx cannot read on after it
            state.abort(_INTERRUPTED)
            self._response.close()
            raise
        finally:
            state.reader.release()
        return True

    def close(self) -> None:
        """Close the connection at once, also from another thread; the run itself goes on."""
        if self._state.abort(_LEFT) and self._process == os.getpid():  # a fork must not cut the stream of its parent
            # Another thread may be waiting for bytes; only a shutdown wakes it.
            network = self._response.extensions.get("network_stream")
            connection = network.get_extra_info("socket") if network else None
            with suppress(OSError):
                if isinstance(connection, socket.socket) and self._response.http_version != "HTTP/2":
                    connection.shutdown(socket.SHUT_RDWR)  # with HTTP/2 it would also end the other streams
        with suppress(Exception):  # the connection may be broken already
            self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(AttributeError):  # a Ctrl-C while it was created
            self.close()


class AsyncItemStream(_Stream[T], AsyncIterator[Result[T, StreamError]]):
    """A stream of the server for ``async with`` and ``async for``; see ``ItemStream``.

    A read that is cancelled, as by ``asyncio.wait_for(anext(stream), 5)``, loses nothing: the next one goes on.
    """

    def __init__(self, response: "httpx.Response", client: "httpx.AsyncClient", decoder: Decoder[T]) -> None:
        super().__init__(response, client, decoder)
        self._chunks = response.aiter_bytes()
        self._read: Task[bytes | None] | None = None
        from asyncio import get_running_loop

        self._loop = get_running_loop()

    async def __anext__(self) -> Result[T, StreamError]:
        state = self._state
        while not state.ready:
            if state.has_ended:
                raise StopAsyncIteration
            if not await self._fill():
                return state.refused_reader()
        return state.ready.popleft()

    async def __aiter__(self) -> AsyncIterator[Result[T, StreamError]]:
        state, ready, is_reader = self._state, self._state.ready, True
        try:
            while True:
                while ready:
                    yield ready.popleft()
                if state.has_ended:
                    return
                if not await self._fill():
                    is_reader = False
                    yield state.refused_reader()
                    return
        finally:
            if is_reader:
                await self.aclose()

    async def _fill(self) -> bool:
        """Read until there are items or the end; return ``False`` while another task reads."""
        state = self._state
        if not state.reader.acquire(blocking=False):
            return False
        try:
            if state.expire(monotonic()) or state.take(await self._next_chunk()):
                await self._response.aclose()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - every exception is the last item
            state.fail(error, monotonic(), closed=self._client.is_closed)
            await self._response.aclose()
        finally:
            state.reader.release()
        return True

    async def _next_chunk(self) -> bytes | None:
        # In a separate task, because httpx cannot read on after a cancelled read.
        from asyncio import shield

        if self._read is None:
            self._read = self._loop.create_task(_next(self._chunks))
        chunk = await shield(self._read)
        self._read = None
        return chunk

    async def aclose(self) -> None:
        """Close the connection at once; the run itself goes on."""
        self._state.abort(_LEFT)
        if self._read is not None:
            self._read.cancel()
        with suppress(Exception):  # the connection may be broken already
            await self._response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # Nothing can be awaited here: the event loop closes the connection as soon as it runs.
        if self._state.abort(_LEFT) and not self._loop.is_closed():
            loop, response, read = self._loop, self._response, self._read
            if read is not None:
                loop.call_soon_threadsafe(read.cancel)
            loop.call_soon_threadsafe(lambda: loop.create_task(response.aclose()))


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


class EventStream(ItemStream[RunStream]):
    """The events of a run, as ``Success`` and ``Failure`` items; see ``ItemStream``."""


class AsyncEventStream(AsyncItemStream[RunStream]):
    """The events of a run for ``async with`` and ``async for``; see ``ItemStream``."""


LogStream: TypeAlias = ItemStream[RunLogLine]
"""The lines of the log of a run, as ``Success`` and ``Failure`` items; see ``ItemStream``."""

AsyncLogStream: TypeAlias = AsyncItemStream[RunLogLine]
"""The lines of the log of a run for ``async with`` and ``async for``; see ``ItemStream``."""

ProgressStream: TypeAlias = ItemStream["RunProgress"]
"""The changes of the runs of a workflow, as ``Success`` and ``Failure`` items; see ``ItemStream``."""

AsyncProgressStream: TypeAlias = AsyncItemStream["RunProgress"]
"""The changes of the runs of a workflow for ``async with`` and ``async for``; see ``ItemStream``."""
