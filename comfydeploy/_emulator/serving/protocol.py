"""HTTP on one connection, which the application may break."""

import asyncio
import os
import socket
import struct
import sys
from typing import Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from comfydeploy._emulator.serving.memory import MemoryTransport

_NAME: Final = "comfydeploy.connection"
_A_MOMENT: Final = 0.001
# About as long as a real server writes the traceback of a 500 to its log before it closes the connection.
_UNANNOUNCED: Final = 0.005
_AT_ONCE: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Protocol(H11Protocol):
    """Uvicorn's protocol; the application finds it with ``connection_of``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Begin."""
        super().connection_made(transport)
        app = self.app

        async def connected(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {_NAME: self}
            await app(scope, receive, send)

        self.app = connected

    @property
    def is_in_memory(self) -> bool:
        """Whether the connection is one through memory."""
        return isinstance(self.transport, MemoryTransport)

    def write(self, data: bytes) -> None:
        """Send bytes as they are, whether or not they are HTTP."""
        self.transport.write(data)

    def end(self) -> None:
        """Close the connection once everything has been sent, whether or not the answer is complete."""
        self.transport.close()

    def abort(self) -> None:
        """Close the connection without sending what waits."""
        self.transport.abort()

    async def close_unannounced(self) -> None:
        """Close the connection after a complete response; a request that arrives meanwhile is not read."""
        self.transport.pause_reading()
        await asyncio.sleep(_UNANNOUNCED)
        self.transport.abort()

    async def reset(self) -> None:
        """Break the connection off once everything has been sent, as a server that crashes does."""
        self.transport.set_write_buffer_limits(0)
        await self.flow.drain()
        connected = self.transport.get_extra_info("socket")
        # A reset also drops what the system has taken and not yet delivered.
        while connected and not self.transport.is_closing() and _undelivered(connected):  # noqa: ASYNC110 - the system has no notification
            await asyncio.sleep(_A_MOMENT)
        if connected and not self.transport.is_closing():
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()


def _undelivered(connected: socket.socket) -> int:
    if sys.platform == "win32":
        return 0
    import fcntl
    import termios

    (size,) = struct.unpack("i", fcntl.ioctl(connected, termios.TIOCOUTQ, struct.pack("i", 0)))
    return int(size)


def connection_of(scope: Scope) -> Protocol:
    """Return the connection on which a request has come."""
    connection: Protocol = scope["extensions"][_NAME]
    return connection
