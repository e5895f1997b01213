"""Streams of events: iterators of results, and context managers that close the connection."""

import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeAlias, TypeVar

from comfydeploy._wire.events import RunStreamDecoder
from comfydeploy._wire.logs import RunLogDecoder
from comfydeploy._wire.troubles import lost
from comfydeploy.errors import MalformedEvent, RequestAbortedError, StreamError
from comfydeploy.models.run_log import RunLogLine
from comfydeploy.models.run_stream import RunStream
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
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


class _Decoder(Protocol[T]):
    is_complete: bool

    def feed(self, chunk: bytes) -> list[Result[T, MalformedEvent]]: ...
    def finish(self) -> list[Result[T, MalformedEvent]]: ...


class _Reading(Generic[T]):
    """What both colours share: the items that were read and not yet given, and how the reading ended."""

    def __init__(
        self, response: "httpx.Response", client: "httpx.Client | httpx.AsyncClient", decoder: _Decoder[T]
    ) -> None:
        self._response = response
        self._client = client
        self._decoder = decoder
        self._ready: deque[Result[T, StreamError]] = deque()
        self._ended = False

    def _read(self, chunk: bytes | None) -> bool:
        """Take what the connection gave, ``None`` at its end; tell whether there is nothing more to wait for."""
        self._ready.extend(self._decoder.finish() if chunk is None else self._decoder.feed(chunk))
        self._ended = chunk is None or self._decoder.is_complete
        return self._ended

    def _broke(self, error: Exception) -> None:
        if self._ended:  # the caller closed the stream meanwhile, which has been noted
            return
        self._ended = True
        # An event that the cut left in two is no news beside the failure itself.
        self._ready.extend(item for item in self._decoder.finish() if isinstance(item, Success))
        self._ready.append(Failure(lost(error, "answered", closed=self._client.is_closed)))

    def _leave(self) -> bool:
        """Note that the caller closes the stream; tell whether that cuts it short."""
        cut, self._ended = not self._ended, True
        if cut:
            self._ready.clear()
            self._ready.append(Failure(RequestAbortedError("The stream was closed by the caller", "answered")))
        return cut


class ItemStream(_Reading[T], Iterator[Result[T, StreamError]]):
    """A stream of the server: a context manager and an iterator of results.

    An item is ``Success(event)``, or ``Failure(MalformedEvent)`` for one that cannot be read, after which the stream
    goes on, or another ``Failure``, which is the last item. Leaving the loop, the ``with`` block or the last
    reference closes the connection; the run itself goes on. Reading on after that gives a ``RequestAbortedError``.
    """

    def __init__(self, response: "httpx.Response", client: "httpx.Client", decoder: _Decoder[T]) -> None:
        super().__init__(response, client, decoder)
        self._chunks = response.iter_bytes()
        self._process = os.getpid()

    def __next__(self) -> Result[T, StreamError]:
        while not self._ready:
            if self._ended:
                raise StopIteration
            self._fill()
        return self._ready.popleft()

    def __iter__(self) -> Iterator[Result[T, StreamError]]:  # noqa: PYI034 - a generator, which its loop closes
        # A generator, not the stream itself: it is closed with the loop that it was made for.
        ready = self._ready
        try:
            while True:
                while ready:
                    yield ready.popleft()
                if self._ended:
                    return
                self._fill()
        finally:
            self.close()

    def _fill(self) -> None:
        try:
            chunk = next(self._chunks, None)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks is the last item
            self._broke(error)
            self._response.close()
        else:
            if self._read(chunk):
                self._response.close()

    def close(self) -> None:
        """Close the connection at once, also from another thread; the run itself goes on."""
        if self._leave() and self._process == os.getpid():  # a fork must not cut the stream of its parent
            # Another thread may be waiting for bytes: only a shutdown wakes it.
            network = self._response.extensions.get("network_stream")
            connection = network.get_extra_info("socket") if network else None
            with suppress(OSError):
                if isinstance(connection, socket.socket):
                    connection.shutdown(socket.SHUT_RDWR)
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
    """The twin of ``ItemStream`` for ``async with`` and ``async for``."""

    def __init__(self, response: "httpx.Response", client: "httpx.AsyncClient", decoder: _Decoder[T]) -> None:
        super().__init__(response, client, decoder)
        self._chunks = response.aiter_bytes()
        from asyncio import get_running_loop

        self._loop = get_running_loop()

    async def __anext__(self) -> Result[T, StreamError]:
        while not self._ready:
            if self._ended:
                raise StopAsyncIteration
            await self._fill()
        return self._ready.popleft()

    async def __aiter__(self) -> AsyncIterator[Result[T, StreamError]]:
        ready = self._ready
        try:
            while True:
                while ready:
                    yield ready.popleft()
                if self._ended:
                    return
                await self._fill()
        finally:
            await self.aclose()

    async def _fill(self) -> None:
        try:
            chunk = await anext(self._chunks, None)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks is the last item
            self._broke(error)
            await self._response.aclose()
        else:
            if self._read(chunk):
                await self._response.aclose()

    async def aclose(self) -> None:
        """Close the connection at once; the run itself goes on."""
        self._leave()
        with suppress(Exception):  # closing what is broken anyway
            await self._response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # Nobody can wait here: the event loop closes the connection, as soon as it runs.
        if self._leave() and not self._loop.is_closed():
            loop, response = self._loop, self._response
            loop.call_soon_threadsafe(lambda: loop.create_task(response.aclose()))


class EventStream(ItemStream[RunStream]):
    """The events of a run as they happen, as ``Success`` and ``Failure`` items; ``ItemStream`` tells the rest."""

    def __init__(self, response: "httpx.Response", client: "httpx.Client") -> None:
        self._events = RunStreamDecoder()
        super().__init__(response, client, self._events)

    @property
    def run_id(self) -> str | None:
        """The id of the run, for ``run_get``: known as soon as an event that was read names it."""
        return self._events.run_id


class AsyncEventStream(AsyncItemStream[RunStream]):
    """The twin of ``EventStream`` for ``async with`` and ``async for``."""

    def __init__(self, response: "httpx.Response", client: "httpx.AsyncClient") -> None:
        self._events = RunStreamDecoder()
        super().__init__(response, client, self._events)

    @property
    def run_id(self) -> str | None:
        """The id of the run, for ``run_get``: known as soon as an event that was read names it."""
        return self._events.run_id


class LogStream(ItemStream[RunLogLine]):
    """The lines of a run's log as they are written, as ``Success`` and ``Failure`` items."""

    def __init__(self, response: "httpx.Response", client: "httpx.Client") -> None:
        super().__init__(response, client, RunLogDecoder())


class AsyncLogStream(AsyncItemStream[RunLogLine]):
    """The twin of ``LogStream`` for ``async with`` and ``async for``."""

    def __init__(self, response: "httpx.Response", client: "httpx.AsyncClient") -> None:
        super().__init__(response, client, RunLogDecoder())
