"""The connections of an async client: a network backend for httpcore on asyncio itself.

httpcore's own goes through anyio, which makes an async call a quarter slower.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, Final, cast

import httpcore

from comfydeploy._http.network import CLOSED, CONNECTING, LATE, configure, is_readable, translated
from comfydeploy._http.receiver import Receiver
from comfydeploy._wire.deadline import remaining, shared, started

_PART: Final = 262_144  # bytes per write, so that a large body is not held twice


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
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        limit = started(timeout, monotonic())
        async with self.phase(limit):
            addresses = await _addresses(host, port)
        for number, (*kind, _name, address) in enumerate(addresses):
            try:
                async with self.phase(shared(limit, len(addresses) - number, monotonic())):
                    return AsyncStream(await self._connected(socket.socket(*kind), address), self, limit)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _connected(self, connection: socket.socket, address: Any) -> Receiver:
        loop = asyncio.get_running_loop()
        try:
            connection.settimeout(0)
            configure(connection)
            await loop.sock_connect(connection, address)
            receiver = Receiver(self._receivers, connection)
            await loop.create_connection(lambda: receiver, sock=connection)
        except BaseException:
            connection.close()
            raise
        return receiver

    @asynccontextmanager
    async def phase(self, limit: float | None) -> AsyncGenerator[None]:
        """Limit one phase of connecting, and end it when the client is closed."""
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
            raise translated(error, httpcore.ConnectTimeout, httpcore.ConnectError) from error
        except (OSError, UnicodeError, ValueError) as error:
            raise httpcore.ConnectError(str(error)) from error

    def _check_open(self) -> None:
        if self.is_closed:
            raise OSError(CLOSED)

    def close(self) -> None:
        """End every connection, in the thread of the event loop; each task that waits for one gets an error."""
        self.is_closed = True
        for phase in self._phases:
            with suppress(RuntimeError):  # it has just ended by itself
                phase.reschedule(0)
        for receiver in list(self._receivers):
            receiver.abort()


class AsyncStream(httpcore.AsyncNetworkStream):
    """The bytes of one connection. The bytes of a cancelled read are left for the next one."""

    def __init__(self, receiver: Receiver, network: AsyncNetwork, connecting: float | None) -> None:
        self._receiver = receiver
        self._network = network
        self._connecting = connecting

    async def read(self, max_bytes: int, timeout: float | None = CONNECTING) -> bytes:  # noqa: ASYNC109 - httpcore's
        """Read received bytes, or wait for them; no bytes mean the end."""
        timeout = self._connecting if timeout is CONNECTING else timeout
        return self._receiver.take(max_bytes) if await self._receiver.wait_for_bytes(timeout) else b""

    async def write(self, buffer: bytes, timeout: float | None = CONNECTING) -> None:  # noqa: ASYNC109 - httpcore's
        """Send all bytes, except those that the event loop still holds."""
        receiver = self._receiver
        timeout = self._connecting if timeout is CONNECTING else timeout
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
        # A connection that was dropped without a close: only the thread of the event loop may end it.
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
            async with self._network.phase(timeout):
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
    # A numeric address needs no resolver, and so no thread of asyncio.
    with suppress(OSError):
        return socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
