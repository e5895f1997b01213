"""Connections without sockets: the server's end in its event loop, the client's in any thread or event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

_HIGH_WATER: Final = 64 * 1024
# As much as a socket gives at once: whoever is slow must be able to pause in the middle of a large write.
_PIECE: Final = 256 * 1024


class MemoryTransport(asyncio.Transport):
    """The server's end. Everything that it knows is touched in the server's event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Who reaches it is in this process, and so on this computer.
        super().__init__({"peername": ("127.0.0.1", 0)})
        self._loop: Final = loop
        self._protocol: asyncio.Protocol | None = None
        self._unread: Final = bytearray()
        self._unheard: Final[deque[tuple[bytes, Future[bytes] | None]]] = deque()
        self._reader: tuple[int, Future[bytes]] | None = None
        self._listens = True
        self._is_full = False
        self._is_closing = False
        self._is_broken = False

    # What the client's end asks for.

    def begin(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Connect."""
        self._protocol = protocol()
        self._protocol.connection_made(self)

    def hear(self, data: bytes, heard: Future[bytes]) -> None:
        """Take bytes from the client; ``heard`` is done once the protocol has taken them."""
        for start in range(0, len(data), _PIECE):
            self._unheard.append((data[start : start + _PIECE], heard if start + _PIECE >= len(data) else None))
        self._pass_on()

    def tell(self, most: int, told: Future[bytes]) -> None:
        """Give ``told`` some bytes as soon as there are any, and none at the end."""
        self._reader = (most, told)
        self._answer()

    def leave(self) -> None:
        """End the connection, as the client does."""
        self._unread.clear()
        self.close()
        self._answer()

    # What the protocol asks for, as of any transport.

    def write(self, data: Any) -> None:
        """Send bytes to the client."""
        if self._is_closing:
            return
        self._unread.extend(data)
        self._answer()
        if len(self._unread) > _HIGH_WATER and not self._is_full and self._protocol:
            self._is_full = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: what was written can be read however the connection ends."""

    def get_write_buffer_size(self) -> int:
        """Count the bytes that the client has not read."""
        return len(self._unread)

    def pause_reading(self) -> None:
        """Let the client wait."""
        self._listens = False

    def resume_reading(self) -> None:
        """Hear the client again."""
        self._listens = True
        self._loop.call_soon(self._pass_on)

    def is_closing(self) -> bool:
        """Tell whether the connection ends."""
        return self._is_closing

    def close(self) -> None:
        """End the connection; the client may still read what was written."""
        if self._is_closing:
            return
        self._is_closing = True
        self._pass_on()
        self._answer()
        self._loop.call_soon(self._lose)

    def abort(self) -> None:
        """Break the connection off: once the client has read what was written, it meets an error."""
        self._is_broken = True
        self.close()

    def _lose(self) -> None:
        if self._protocol:
            self._protocol.connection_lost(None)

    def _pass_on(self) -> None:
        while self._unheard and self._protocol and (self._listens or self._is_closing):
            data, heard = self._unheard.popleft()
            if heard:
                settle(heard, b"")
            if not self._is_closing:
                self._protocol.data_received(data)

    def _answer(self) -> None:
        if not self._reader or not (self._unread or self._is_closing):
            return
        (most, told), self._reader = self._reader, None
        if not self._unread and self._is_broken:
            settle(told, ConnectionResetError("Connection reset by peer"))
            return
        settle(told, bytes(self._unread[:most]))
        del self._unread[:most]
        if self._is_full and len(self._unread) <= _HIGH_WATER and self._protocol:
            self._is_full = False
            self._protocol.resume_writing()


def settle(future: Future[bytes], outcome: bytes | Exception) -> None:
    """Tell the one who waits, if anybody still does."""
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
