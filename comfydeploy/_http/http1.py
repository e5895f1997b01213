"""Connections of HTTP/1.1 without a proxy, blocking and async.

To the pools they are httpcore's: the same interface, exceptions and extensions. Head and body are one write where the
body is small, what was received of a body is passed on in one piece, and an async call needs no locks: the pool lends
a connection to one caller at a time.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from types import FunctionType
from typing import Any, Final

import httpcore
from httpcore import AsyncConnectionInterface, ConnectionInterface, Origin

from comfydeploy._http.request_writer import RequestWriter
from comfydeploy._http.response import ReceivedResponse
from comfydeploy._wire.deadline import limits_of

new_response: Callable[[], ReceivedResponse]
try:
    from comfydeploy._http.llhttp_response import LlhttpResponse
except ImportError:  # without the extra `speed`
    from comfydeploy._http.h11_response import H11Response

    new_response = H11Response
else:
    new_response = LlhttpResponse

_READ: Final = 65_536
_LIBRARY: Final = httpcore.__name__  # "httpcore2" where httpx2 stands in for httpx
_LOGS: Final = tuple(logging.getLogger(f"{_LIBRARY}.{name}") for name in ("connection", "http11"))


def may_replace() -> bool:
    """Return whether no mock has patched httpcore's own connections, and no log shows their steps."""
    return (
        _is_original(httpcore.HTTPConnection.handle_request)
        and _is_original(httpcore.AsyncHTTPConnection.handle_async_request)
        and not (_LOGS[0].isEnabledFor(logging.DEBUG) or _LOGS[1].isEnabledFor(logging.DEBUG))
    )


def _is_original(method: Any) -> bool:
    # Not compared with the method at import, which may happen while the mock is active.
    return type(method) is FunctionType and method.__globals__["__name__"].startswith(_LIBRARY)


class _State:
    """The common part of the connections: what a pool asks of them."""

    def __init__(self, origin: Origin, network: Any, context: ssl.SSLContext | None) -> None:
        self._origin = origin
        self._network = network
        self._context = context if origin.scheme == b"https" else None
        self._stream: Any = None
        self._response: ReceivedResponse | None = None
        self._is_sent = False

    @property
    def _host(self) -> str:
        return self._origin.host.decode("ascii")

    def is_idle(self) -> bool:
        """Return whether the last exchange is complete, no bytes are unread, and neither side ends the connection."""
        return self._is_sent and self._response is not None and self._response.may_stay

    def has_expired(self) -> bool:
        """Return whether the server has ended the idle connection or sent more, or a mock was started since."""
        return self._stream is None or not may_replace() or bool(self._stream.get_extra_info("is_readable"))


class Connection(_State, ConnectionInterface):
    """A blocking connection."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, over a new connection if there is none, and receive the head of its response."""
        limits = limits_of(request)
        self._is_sent = False
        writer = RequestWriter(request)
        stream = self._stream = self._stream or self._connect(limits.get("connect"))
        self._response = response = new_response()
        with suppress(httpcore.WriteError):  # a server may refuse a request before it has read all of it
            self._send(writer, request.stream, limits.get("write"))
        while not response.has_head:
            response.feed(stream.read(_READ, limits.get("read")))
        return _answer(response, stream, _Body(response, stream, limits))

    def _connect(self, limit: float | None) -> Any:
        stream = self._network.connect_tcp(self._host, self._origin.port, timeout=limit)
        if self._context is not None:
            self._context.set_alpn_protocols(["http/1.1"])
            stream = stream.start_tls(self._context, server_hostname=self._host, timeout=limit)
        return stream

    def _send(self, writer: RequestWriter, body: Any, limit: float | None) -> None:
        for part in body:
            for piece in writer.framed(part):
                self._stream.write(piece, limit)
        for piece in writer.end():
            self._stream.write(piece, limit)
        self._is_sent = not writer.is_last

    def close(self) -> None:
        """Close the connection."""
        self._is_sent = False
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


class AsyncConnection(_State, AsyncConnectionInterface):
    """A connection of one event loop."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, over a new connection if there is none, and receive the head of its response."""
        limits = limits_of(request)
        self._is_sent = False
        writer = RequestWriter(request)
        stream = self._stream = self._stream or await self._connect(limits.get("connect"))
        self._response = response = new_response()
        with suppress(httpcore.WriteError):
            await self._send(writer, request.stream, limits.get("write"))
        while not response.has_head:
            response.feed(await stream.read(_READ, limits.get("read")))
        return _answer(response, stream, _AsyncBody(response, stream, limits))

    async def _connect(self, limit: float | None) -> Any:
        stream = await self._network.connect_tcp(self._host, self._origin.port, timeout=limit)
        if self._context is not None:
            self._context.set_alpn_protocols(["http/1.1"])
            stream = await stream.start_tls(self._context, server_hostname=self._host, timeout=limit)
        return stream

    async def _send(self, writer: RequestWriter, body: Any, limit: float | None) -> None:
        async for part in body:
            for piece in writer.framed(part):
                await self._stream.write(piece, limit)
        for piece in writer.end():
            await self._stream.write(piece, limit)
        self._is_sent = not writer.is_last

    async def aclose(self) -> None:
        """Close the connection."""
        self._is_sent = False
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()


class _Left:
    """What is left of a response. It has no ``close``, which a generator would refuse while it is read elsewhere."""

    def __init__(self, response: ReceivedResponse, stream: Any, limits: Mapping[str, float | None]) -> None:
        self._response = response
        self._stream = stream
        self._limits = limits


class _Body(_Left):
    """The bytes of a response as they arrive."""

    def __iter__(self) -> Iterator[bytes]:
        response, limit = self._response, self._limits.get("read")  # which `sending` may have replaced since the head
        while True:
            yield from response.take()
            if response.is_complete:
                return
            if not response.is_over:
                response.feed(self._stream.read(_READ, limit))


class _AsyncBody(_Left):
    """The bytes of a response as they arrive, async."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        response, limit = self._response, self._limits.get("read")
        while True:
            for part in response.take():
                yield part
            if response.is_complete:
                return
            if not response.is_over:
                response.feed(await self._stream.read(_READ, limit))


def _answer(response: ReceivedResponse, stream: Any, body: Any) -> httpcore.Response:
    extensions = {**response.extensions, "network_stream": stream}
    return httpcore.Response(response.status, headers=response.headers, content=body, extensions=extensions)
