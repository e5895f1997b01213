"""Connections without sockets: the server's end in its event loop, the client's in any thread or event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

_HIGH_WATER: Final = 64 * 1024
# About what a socket delivers at once: a slow protocol must be able to pause in the middle of a large write.
_PIECE: Final = 256 * 1024


class MemoryTransport(asyncio.Transport):
    """The server's end of a connection, used in the server's event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # The client is in this process, and so on this computer.
        super().__init__({"peername": ("127.0.0.1", 0)})
        self._loop: Final = loop
        self._protocol: asyncio.Protocol | None = None
        self._outgoing: Final = bytearray()
        self._incoming: Final[deque[tuple[bytes, Future[bytes] | None]]] = deque()
        self._reader: tuple[int, Future[bytes]] | None = None
        self._is_reading = True
        self._is_full = False
        self._is_closing = False
        self._is_broken = False

    # Called by the client's end.

    def connect(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Connect."""
        self._protocol = protocol()
        self._protocol.connection_made(self)

    def receive(self, data: bytes, taken: Future[bytes]) -> None:
        """Receive bytes from the client; ``taken`` is done once the protocol has them."""
        for start in range(0, len(data), _PIECE):
            self._incoming.append((data[start : start + _PIECE], taken if start + _PIECE >= len(data) else None))
        self._deliver()

    def read(self, most: int, data: Future[bytes]) -> None:
        """Set ``data`` to the next bytes as soon as there are any, and to none at the end."""
        self._reader = (most, data)
        self._send()

    def disconnect(self) -> None:
        """End the connection, as the client does."""
        self._outgoing.clear()
        self.close()
        self._send()

    # Called by the protocol, as on any transport.

    def write(self, data: Any) -> None:
        """Send bytes to the client."""
        if self._is_closing:
            return
        self._outgoing.extend(data)
        self._send()
        if len(self._outgoing) > _HIGH_WATER and not self._is_full and self._protocol:
            self._is_full = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: the client can read what was written however the connection ends."""

    def get_write_buffer_size(self) -> int:
        """Count the bytes that the client has not read."""
        return len(self._outgoing)

    def pause_reading(self) -> None:
        """Stop reading from the client."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Read from the client again."""
        self._is_reading = True
        self._loop.call_soon(self._deliver)

    def is_closing(self) -> bool:
        """Return whether the connection is closing."""
        return self._is_closing

    def close(self) -> None:
        """End the connection; the client may still read what was written."""
        if self._is_closing:
            return
        self._is_closing = True
        self._deliver()
        self._send()
        self._loop.call_soon(self._lose)

    def abort(self) -> None:
        """Break the connection: the client reads what was written, then an error."""
        self._is_broken = True
        self.close()

    def _lose(self) -> None:
        if self._protocol:
            self._protocol.connection_lost(None)

    def _deliver(self) -> None:
        while self._incoming and self._protocol and (self._is_reading or self._is_closing):
            data, taken = self._incoming.popleft()
            if taken:
                settle(taken, b"")
            if not self._is_closing:
                self._protocol.data_received(data)

    def _send(self) -> None:
        if not self._reader or not (self._outgoing or self._is_closing):
            return
        (most, data), self._reader = self._reader, None
        if not self._outgoing and self._is_broken:
            settle(data, ConnectionResetError("Connection reset by peer"))
            return
        settle(data, bytes(self._outgoing[:most]))
        del self._outgoing[:most]
        if self._is_full and len(self._outgoing) <= _HIGH_WATER and self._protocol:
            self._is_full = False
            self._protocol.resume_writing()


def settle(future: Future[bytes], outcome: bytes | Exception) -> None:
    """Set the outcome of a future, unless it was cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
