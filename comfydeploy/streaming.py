"""Streams of events: iterators of results, and context managers that close the connection."""

import os
import socket
from _thread import allocate_lock
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, Self, TypeAlias, TypeVar

from comfydeploy._wire.open_stream import Decoder
from comfydeploy._wire.transport_errors import response_error
from comfydeploy.errors import RequestAbortedError, StreamError, UnexpectedClientError
from comfydeploy.models.run_log import RunLogLine
from comfydeploy.models.run_stream import RunStream
from comfydeploy.models.secret import NOTHING_SECRET
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from asyncio import Task

    import httpx

__all__ = [
    "AsyncEventStream",
    "AsyncItemStream",
    "AsyncLogStream",
    "EventStream",
    "ItemStream",
    "LogStream",
    "StreamItem",
]

T = TypeVar("T")
StreamItem: TypeAlias = Result[RunStream, StreamError]

_SECOND_READER: Final = "The stream is being read already: read it in one thread or task at a time"


class _Reading(Generic[T]):
    """What blocking and async streams share: the items that were read and not yet taken, and the end of the reading."""

    def __init__(
        self, response: "httpx.Response", client: "httpx.Client | httpx.AsyncClient", decoder: Decoder[T]
    ) -> None:
        self._response = response
        self._client = client
        self._decoder = decoder
        self._ready: deque[Result[T, StreamError]] = deque()
        self._ended = False
        self._reader = allocate_lock()  # held while bytes are waited for

    @property
    def run_id(self) -> str | None:
        """The id of the run, for ``run_get``: known as soon as an event that was read names it."""
        return self._decoder.run_id

    def _take(self, chunk: bytes | None) -> bool:
        """Decode the next bytes, ``None`` at the end of the body; return whether the stream has ended."""
        self._ready.extend(self._decoder.finish() if chunk is None else self._decoder.feed(chunk))
        self._ended = chunk is None or self._decoder.is_complete
        return self._ended

    def _fail(self, error: Exception) -> None:
        if self._ended:  # the caller has closed the stream meanwhile, which is its last item already
            return
        self._ended = True
        # An event that was cut in two says less than the failure itself.
        self._ready.extend(item for item in self._decoder.finish() if isinstance(item, Success))
        lost = response_error(error, "answered", closed=self._client.is_closed, sent=NOTHING_SECRET, run_id=self.run_id)
        self._ready.append(Failure(lost))

    def _abort(self, reason: str) -> bool:
        """End the stream with a ``RequestAbortedError``; return whether it had not ended before."""
        was_open, self._ended = not self._ended, True
        if was_open:
            self._ready.clear()
            self._ready.append(Failure(RequestAbortedError(reason, "answered", run_id=self.run_id)))
        return was_open

    def _leave(self) -> bool:
        return self._abort("The stream was closed by the caller")

    def _refused_reader(self) -> "Failure[StreamError]":
        return Failure(UnexpectedClientError(_SECOND_READER, "answered", run_id=self.run_id))


class ItemStream(_Reading[T], Iterator[Result[T, StreamError]]):
    """A stream of the server: a context manager and an iterator of results.

    An item is ``Success(event)``, or ``Failure(MalformedEvent)`` for one that cannot be read, after which the stream
    goes on, or another ``Failure``, which is the last item. Leaving the loop, the ``with`` block or the last
    reference closes the connection; the run itself goes on. Reading on after that gives a ``RequestAbortedError``.
    One thread reads at a time: a second one gets an ``UnexpectedClientError``, and the first one reads on.
    """

    def __init__(self, response: "httpx.Response", client: "httpx.Client", decoder: Decoder[T]) -> None:
        super().__init__(response, client, decoder)
        self._chunks = response.iter_bytes()
        self._process = os.getpid()

    def __next__(self) -> Result[T, StreamError]:
        while not self._ready:
            if self._ended:
                raise StopIteration
            if not self._fill():
                return self._refused_reader()
        return self._ready.popleft()

    def __iter__(self) -> Iterator[Result[T, StreamError]]:  # noqa: PYI034 - a generator, which its loop closes
        # A generator, not the stream itself: it is closed with the loop that it was made for.
        ready, is_reader = self._ready, True
        try:
            while True:
                while ready:
                    yield ready.popleft()
                if self._ended:
                    return
                if not self._fill():
                    is_reader = False
                    yield self._refused_reader()
                    return
        finally:
            if is_reader:
                self.close()

    def _fill(self) -> bool:
        """Read until there are items or the end; return ``False`` while another thread does so."""
        if not self._reader.acquire(blocking=False):
            return False
        try:
            chunk = next(self._chunks, None)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks is the last item
            self._fail(error)
            self._response.close()
        except BaseException:  # such as Ctrl-C: httpx cannot read on after it
            self._abort("Reading the stream was interrupted")
            self._response.close()
            raise
        else:
            if self._take(chunk):
                self._response.close()
        finally:
            self._reader.release()
        return True

    def close(self) -> None:
        """Close the connection at once, also from another thread; the run itself goes on."""
        if self._leave() and self._process == os.getpid():  # a fork must not cut the stream of its parent
            # Another thread may be waiting for bytes: only a shutdown wakes it.
            network = self._response.extensions.get("network_stream")
            connection = network.get_extra_info("socket") if network else None
            with suppress(OSError):
                if isinstance(connection, socket.socket) and self._response.http_version != "HTTP/2":
                    connection.shutdown(socket.SHUT_RDWR)  # with HTTP/2 it would cut the other streams as well
        with suppress(Exception):  # closing what is broken anyway
            self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class AsyncItemStream(_Reading[T], AsyncIterator[Result[T, StreamError]]):
    """The twin of ``ItemStream`` for ``async with`` and ``async for``.

    A read that is cancelled, as by ``asyncio.wait_for(anext(stream), 5)``, loses nothing: the next one goes on.
    """

    def __init__(self, response: "httpx.Response", client: "httpx.AsyncClient", decoder: Decoder[T]) -> None:
        super().__init__(response, client, decoder)
        self._chunks = response.aiter_bytes()
        self._read: Task[bytes | None] | None = None
        from asyncio import get_running_loop

        self._loop = get_running_loop()

    async def __anext__(self) -> Result[T, StreamError]:
        while not self._ready:
            if self._ended:
                raise StopAsyncIteration
            if not await self._fill():
                return self._refused_reader()
        return self._ready.popleft()

    async def __aiter__(self) -> AsyncIterator[Result[T, StreamError]]:
        ready, is_reader = self._ready, True
        try:
            while True:
                while ready:
                    yield ready.popleft()
                if self._ended:
                    return
                if not await self._fill():
                    is_reader = False
                    yield self._refused_reader()
                    return
        finally:
            if is_reader:
                await self.aclose()

    async def _fill(self) -> bool:
        """Read until there are items or the end; return ``False`` while another task does so."""
        if not self._reader.acquire(blocking=False):
            return False
        try:
            chunk = await self._next_chunk()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks is the last item
            self._fail(error)
            await self._response.aclose()
        else:
            if self._take(chunk):
                await self._response.aclose()
        finally:
            self._reader.release()
        return True

    async def _next_chunk(self) -> bytes | None:
        # In a task of its own, because httpx cannot read on after a read that was cancelled.
        from asyncio import shield

        if self._read is None:
            self._read = self._loop.create_task(_next(self._chunks))
        chunk = await shield(self._read)
        self._read = None
        return chunk

    async def aclose(self) -> None:
        """Close the connection at once; the run itself goes on."""
        self._leave()
        if self._read is not None:
            self._read.cancel()
        with suppress(Exception):  # closing what is broken anyway
            await self._response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # Nothing can be awaited here: the event loop closes the connection as soon as it runs.
        if self._leave() and not self._loop.is_closed():
            loop, response, read = self._loop, self._response, self._read
            if read is not None:
                loop.call_soon_threadsafe(read.cancel)
            loop.call_soon_threadsafe(lambda: loop.create_task(response.aclose()))


class EventStream(ItemStream[RunStream]):
    """The events of a run as they happen, as ``Success`` and ``Failure`` items; see ``ItemStream``."""


class AsyncEventStream(AsyncItemStream[RunStream]):
    """The twin of ``EventStream`` for ``async with`` and ``async for``."""


LogStream: TypeAlias = ItemStream[RunLogLine]
"""The lines of a run's log as they are written, as ``Success`` and ``Failure`` items."""

AsyncLogStream: TypeAlias = AsyncItemStream[RunLogLine]
"""The twin of ``LogStream`` for ``async with`` and ``async for``."""


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)
