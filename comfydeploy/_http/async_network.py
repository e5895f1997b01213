"""The connections of an async client: a network backend for httpcore on asyncio itself.

httpcore's own goes through anyio, which makes an async call a quarter slower.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, Final, cast

import httpcore

from comfydeploy._http.network import CLOSED, LATE, configure, is_readable
from comfydeploy._wire.deadline import remaining

_FULL: Final = 262_144  # bytes that are received before the event loop stops reading
_PART: Final = 262_144  # bytes that are written at a time, so that a large body is not held twice


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """The connections that one client has open or is making, all in one event loop."""

    def __init__(self) -> None:
        self.is_closed = False
        self._receivers: set[Receiver] = set()
        self._phases: set[asyncio.Timeout] = set()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
        *_: Any,
        **__: Any,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers."""
        failure: httpcore.ConnectError = httpcore.ConnectError(f"{host} has no address")
        async with self.phase(None):  # without a limit, because the system's resolver knows none
            addresses = await _addresses(host, port)
        for family, kind, protocol, _name, address in addresses:
            connection = socket.socket(family, kind, protocol)
            try:
                async with self.phase(timeout):
                    return await self._connected(connection, address)
            except httpcore.ConnectError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
        raise failure

    async def _connected(self, connection: socket.socket, address: Any) -> "AsyncStream":
        loop = asyncio.get_running_loop()
        connection.settimeout(0)
        configure(connection)
        await loop.sock_connect(connection, address)
        receiver = Receiver(self, connection)
        await loop.create_connection(lambda: receiver, sock=connection)
        return AsyncStream(receiver)

    @asynccontextmanager
    async def phase(self, limit: float | None) -> AsyncGenerator[None]:
        """Hold a part of connecting to its limit, and end it when the client is closed."""
        try:
            async with asyncio.timeout(remaining(limit, monotonic())) as running:
                self._phases.add(running)
                try:
                    self._check_open()
                    yield
                    self._check_open()
                finally:
                    self._phases.discard(running)
        except TimeoutError as error:
            if self.is_closed:
                raise httpcore.ConnectError(CLOSED) from error
            raise httpcore.ConnectTimeout(LATE) from error
        except (OSError, UnicodeError, ValueError) as error:
            raise httpcore.ConnectError(str(error)) from error

    def _check_open(self) -> None:
        if self.is_closed:
            raise OSError(CLOSED)

    def add(self, receiver: "Receiver") -> None:
        """Keep a connection, to be ended by ``close``."""
        self._receivers.add(receiver)

    def discard(self, receiver: "Receiver") -> None:
        """Forget a connection that is closed."""
        self._receivers.discard(receiver)

    def close(self) -> None:
        """End every connection, in the thread of the event loop; each task that waits for one gets an error."""
        self.is_closed = True
        for phase in self._phases:
            with suppress(RuntimeError):  # it has just ended by itself
                phase.reschedule(0)
        for receiver in list(self._receivers):
            receiver.abort()


class Receiver(asyncio.Protocol):
    """What the event loop calls when something happens to a connection."""

    def __init__(self, network: AsyncNetwork, connection: socket.socket) -> None:
        self.network = network
        self.connection = connection
        self.chunks: deque[bytes] = deque()
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.is_tls = False
        self.has_ended = False
        self.error: str | None = None
        """Why nothing more can be sent or received."""
        self._size = 0
        self._is_full = False
        self._is_congested = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with a connection."""
        self.transport = cast("asyncio.Transport", transport)
        self.network.add(self)

    def data_received(self, data: bytes) -> None:
        """Keep bytes for the next read, and stop reading when there are many."""
        self.chunks.append(data)
        self._size += len(data)
        if self._size >= _FULL and not self._is_full:
            self._is_full = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Note the end of the bytes."""
        self.has_ended = True
        self._wake()
        return not self.is_tls  # keep the other direction open, which TLS does not allow

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the connection."""
        if exc is not None and not self.is_tls:
            # A server that refuses a body early answers and resets: asyncio leaves the answer unread.
            with suppress(OSError):
                while data := self.connection.recv(_PART):
                    self.chunks.append(data)
        self.has_ended = True
        self.error = self.error or str(exc or "")
        self.network.discard(self)
        self._wake()

    def pause_writing(self) -> None:
        """Let writers wait."""
        self._is_congested = True

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._is_congested = False
        self._wake()

    def take(self, most: int) -> bytes:
        """Return bytes that were received, at most so many."""
        data = self.chunks.popleft()
        if len(data) > most:
            self.chunks.appendleft(data[most:])
            data = data[:most]
        self._size -= len(data)
        if self._is_full and self._size < _FULL // 2:
            self._is_full = False
            self.transport.resume_reading()
        return data

    async def wait_for_bytes(self, limit: float | None) -> bool:
        """Wait until there are bytes to take; return False at the end of the connection."""
        while not self.chunks:
            if self.error:
                raise httpcore.ReadError(self.error)
            if self.has_ended:
                return False
            await self._wait(limit, httpcore.ReadTimeout)
        return True

    async def wait_for_room(self, limit: float | None) -> None:
        """Wait until the bytes written have been sent, but for a few."""
        while self._is_congested and self.error is None:
            await self._wait(limit, httpcore.WriteTimeout)

    def abort(self, reason: str = CLOSED) -> None:
        """End the connection; nothing more is sent or received."""
        self.error = self.error or reason
        self.chunks.clear()
        self.transport.abort()
        self.network.discard(self)
        self._wake()

    async def _wait(self, limit: float | None, late: type[httpcore.TimeoutException]) -> None:
        seconds = remaining(limit, monotonic())
        if seconds is not None and seconds <= 0:
            raise late(LATE)
        self._waiting = waiting = self.loop.create_future()
        timer = None if seconds is None else self.loop.call_later(seconds, _end, waiting, late)
        try:
            await waiting
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class AsyncStream(httpcore.AsyncNetworkStream):
    """The bytes of one connection. What a cancelled read would have returned is left for the next one."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        """Read what has come, or wait for it; no bytes are the end."""
        return self._receiver.take(max_bytes) if await self._receiver.wait_for_bytes(timeout) else b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        """Send all bytes, but for those that the event loop holds at its end."""
        receiver = self._receiver
        seconds = remaining(timeout, monotonic())
        if seconds is not None and seconds <= 0:
            raise httpcore.WriteTimeout(LATE)
        for start in range(0, len(buffer), _PART):
            if receiver.transport.is_closing():
                raise httpcore.WriteError(receiver.error or "connection lost")
            receiver.transport.write(memoryview(buffer)[start : start + _PART])
            await receiver.wait_for_room(timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        self._receiver.abort()
        await asyncio.sleep(0)  # in which the event loop closes the socket

    def __del__(self) -> None:
        # What was lost on the way: only the thread of the event loop may end it.
        if self._receiver.error is None:
            with suppress(RuntimeError):  # the event loop is closed
                self._receiver.loop.call_soon_threadsafe(self._receiver.abort)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
    ) -> httpcore.AsyncNetworkStream:
        """Begin TLS, or TLS inside of it."""
        receiver = self._receiver
        try:
            async with receiver.network.phase(timeout):
                transport = await receiver.loop.start_tls(
                    receiver.transport, receiver, ssl_context, server_hostname=server_hostname
                )
                receiver.transport = cast("asyncio.Transport", transport)
                receiver.is_tls = True
        except BaseException:
            receiver.abort()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return the socket, its addresses, the TLS object, or whether there are bytes or an end to read."""
        receiver = self._receiver
        match info:
            case "socket":
                return receiver.connection
            case "client_addr":
                return receiver.transport.get_extra_info("sockname")
            case "server_addr":
                return receiver.transport.get_extra_info("peername")
            case "is_readable":
                return bool(receiver.chunks or receiver.has_ended or receiver.error) or is_readable(receiver.connection)
            case _:
                return receiver.transport.get_extra_info(info)


async def _addresses(host: str, port: int) -> list[Any]:
    # A numeric address needs no resolver, and so none of the threads that asyncio runs it in.
    with suppress(OSError):
        return socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _end(waiting: "asyncio.Future[None]", late: type[httpcore.TimeoutException]) -> None:
    with suppress(asyncio.InvalidStateError):  # it was woken in the same moment
        waiting.set_exception(late(LATE))
