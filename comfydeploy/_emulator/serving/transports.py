"""HTTP through memory: httpx transports that reach the server without a socket.

They send and receive HTTP with the library that httpx itself uses, so that a broken connection raises the same
exception as on a socket.
"""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final, cast
from weakref import WeakSet

import httpcore
import httpx

from comfydeploy._emulator.serving.memory import MemoryTransport
from comfydeploy._emulator.serving.service import Service

# The bytes that may be on their way to the server before a write waits.
_WINDOW: Final = 64 * 1024


class Transport(httpx.BaseTransport):
    """Sends requests to a service; closing it closes what it has open, and it can be used again."""

    def __init__(self, service: Service) -> None:
        self._service: Final = service
        self._open: Final[WeakSet[_Stream]] = WeakSet()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of the answer is read as it comes."""
        with _raised_as_httpx():
            stream = _Stream(self._service)
            self._open.add(stream)
            sent = _translated(request)
            answer = httpcore.HTTP11Connection(sent.url.origin, stream).handle_request(sent)
        return _response(answer, _Body(answer, stream))

    def close(self) -> None:
        """Close what is open."""
        for stream in list(self._open):
            stream.close()


class AsyncTransport(httpx.AsyncBaseTransport):
    """Sends requests to a service, async, from any event loop of asyncio."""

    def __init__(self, service: Service) -> None:
        self._service: Final = service
        self._open: Final[WeakSet[_AsyncStream]] = WeakSet()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of the answer is read as it comes."""
        with _raised_as_httpx():
            stream = _AsyncStream(self._service)
            self._open.add(stream)
            sent = _translated(request)
            answer = await httpcore.AsyncHTTP11Connection(sent.url.origin, stream).handle_async_request(sent)
        return _response(answer, _AsyncBody(answer, stream))

    async def aclose(self) -> None:
        """Close what is open."""
        for stream in list(self._open):
            await stream.aclose()


class _End:
    """The client's end of a connection, for blocking and async code."""

    _is_open = False

    def __init__(self, service: Service) -> None:
        self._service: Final = service
        try:
            self._server: Final[MemoryTransport] = service.connect()
        except ConnectionRefusedError as error:
            raise httpcore.ConnectError(str(error)) from error
        self._is_open = True
        self._sent = 0

    def __del__(self) -> None:
        # A socket that was not closed is closed here, too.
        self._leave()

    def _read(self, most: int) -> Future[bytes]:
        return self._service.submit(self._server.read, most)

    def _write(self, data: bytes) -> Future[bytes] | None:
        """Send; return a future to wait for if too many bytes are on their way."""
        if not data:
            return None
        taken = self._service.submit(self._server.receive, data)
        self._sent += len(data)
        if self._sent <= _WINDOW:
            return None
        self._sent = 0
        return taken

    def _leave(self) -> None:
        if self._is_open:
            self._is_open = False
            self._service.schedule(self._server.disconnect)


class _Stream(_End, httpcore.NetworkStream):
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _raised_as_httpcore(httpcore.ReadTimeout):
            return _waited(self._read(max_bytes), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _raised_as_httpcore(httpcore.WriteTimeout):
            if taken := self._write(buffer):
                _waited(taken, timeout)

    def close(self) -> None:
        self._leave()


class _AsyncStream(_End, httpcore.AsyncNetworkStream):
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        with _raised_as_httpcore(httpcore.ReadTimeout):
            async with asyncio.timeout(timeout):
                return await asyncio.wrap_future(self._read(max_bytes))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        with _raised_as_httpcore(httpcore.WriteTimeout):
            if taken := self._write(buffer):
                async with asyncio.timeout(timeout):
                    await asyncio.wrap_future(taken)

    async def aclose(self) -> None:
        self._leave()


class _Body(httpx.SyncByteStream):
    """The body of an answer, and the connection that ends with it."""

    def __init__(self, answer: httpcore.Response, stream: _Stream) -> None:
        self._answer: Final = answer
        self._stream: Final = stream

    def __iter__(self) -> Iterator[bytes]:
        with _raised_as_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
        self._stream.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response, stream: _AsyncStream) -> None:
        self._answer: Final = answer
        self._stream: Final = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _raised_as_httpx():
            async for chunk in self._answer.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()
        await self._stream.aclose()


def _translated(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _response(answer: httpcore.Response, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
    extensions = cast("dict[str, Any]", answer.extensions)  # pyright: ignore[reportUnknownMemberType]  # left open
    return httpx.Response(answer.status, headers=answer.headers, stream=body, extensions=extensions)


@contextmanager
def _raised_as_httpx() -> Generator[None, None, None]:
    """Raise httpx's exception of the same name, as httpx's own transports do."""
    try:
        yield
    except Exception as error:
        named = getattr(httpx, type(error).__name__, None)
        # The package may be a fork under another name, which the alias ``httpcore`` stands for.
        if type(error).__module__.partition(".")[0] != httpcore.__name__ or named is None:
            raise
        raise named(str(error)) from error


@contextmanager
def _raised_as_httpcore(late: type[Exception]) -> Generator[None, None, None]:
    try:
        yield
    except TimeoutError:
        raise late("timed out") from None
    except ConnectionResetError as error:
        raise httpcore.ReadError(str(error)) from error


def _waited(future: Future[bytes], timeout: float | None) -> bytes:
    try:
        return future.result(timeout)
    finally:
        future.cancel()
