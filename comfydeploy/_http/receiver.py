"""The callbacks of the event loop for one connection, and the waits for them."""

import asyncio
import socket
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Final, cast

import httpcore

from comfydeploy._http.network import CLOSED, LATE
from comfydeploy._wire.deadline import remaining

_FULL: Final = 262_144  # bytes that are received before the event loop stops reading
_PART: Final = 262_144


class Receiver(asyncio.Protocol):
    """One connection. It is among ``receivers`` as long as it is open."""

    def __init__(self, receivers: "set[Receiver]", connection: socket.socket) -> None:
        self._open = receivers
        self.connection = connection
        self.chunks: deque[bytes] = deque()
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.is_tls = False
        self.has_ended = False
        self.error: str | None = None
        """Why nothing more can be sent or received: None while the connection is open, empty after its clean end."""
        self._size = 0
        self._is_full = False
        self._is_congested = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start with a new connection."""
        self.transport = cast("asyncio.Transport", transport)
        self._open.add(self)

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
        self._open.discard(self)
        self._wake()

    def pause_writing(self) -> None:
        """Make writers wait."""
        self._is_congested = True

    def resume_writing(self) -> None:
        """Wake the writers."""
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
        """Wait until the written bytes have been sent, except for a few."""
        while self._is_congested and self.error is None:
            await self._wait(limit, httpcore.WriteTimeout)

    def abort(self, reason: str = CLOSED) -> None:
        """End the connection; nothing more is sent or received."""
        self.error = self.error or reason
        self.chunks.clear()
        self.transport.abort()
        self._open.discard(self)
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


def _end(waiting: "asyncio.Future[None]", late: type[httpcore.TimeoutException]) -> None:
    with suppress(asyncio.InvalidStateError):  # it was woken at the same moment
        waiting.set_exception(late(LATE))
