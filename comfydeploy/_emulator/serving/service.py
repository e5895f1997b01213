"""The application on an event loop in a thread of its own, reached through memory and through a port."""

import asyncio
import errno
import ipaddress
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import Any, Final, Self, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from comfydeploy._emulator.serving.memory import MemoryTransport, settle
from comfydeploy._emulator.serving.protocol import Protocol

V = TypeVar("V")

_BACKLOG: Final = 1024
_GRACE: Final = 1.0
_TURNS: Final = 10
_TICK: Final = 0.005
_LAST_PORT: Final = 65_535
_IN_USE: Final = (
    "cannot listen on {host}:{port}: the port is in use, perhaps by another `comfydeploy emulator`. "
    "Stop that server, or choose another port; port 0 is any free one"
)


class Service:
    """A context manager within which ``app`` answers; ``end`` is awaited first when it is left.

    ``ports`` are sockets that ``bound`` returned; without any, only connections through memory reach it.
    """

    def __init__(self, app: ASGIApp, ports: Sequence[socket.socket], end: Callable[[], Awaitable[None]]) -> None:
        for port in ports:
            port.listen(_BACKLOG)
        self._config: Final = uvicorn.Config(app, http=Protocol, ws="none", lifespan="off", log_config=None)
        self._state: Final = ServerState()
        self._end: Final = end
        self._ports = list(ports)
        self._servers: Final[list[asyncio.Server]] = []
        self._refuses = False
        self._loop: Final = asyncio.new_event_loop()
        self._stopping: Final = asyncio.Event()
        self._unsettled: Final[set[Future[bytes]]] = set()
        self._working: Final[set[Future[Any]]] = set()
        self._process: Final = os.getpid()
        self._thread: Final = threading.Thread(target=self._run, name="comfydeploy-emulator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        for future in list(self._unsettled):
            settle(future, ConnectionResetError("The emulator has stopped"))
        for work in list(self._working):
            work.cancel()

    def call(self, work: Coroutine[Any, Any, V]) -> V:
        """Run a coroutine in the event loop and return its result; only from another thread."""
        try:
            working: Future[V] = Future()
            if self._stopping.is_set():
                working.cancel()
            else:
                working = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._working.add(working)
            working.add_done_callback(self._working.discard)
            # A call during the stop is cancelled there, or here.
            if not self._thread.is_alive():
                working.cancel()
            return working.result()
        except CancelledError:
            work.close()
            raise RuntimeError("The emulator has been stopped") from None

    def connect(self) -> MemoryTransport:
        """Open a connection through memory, from any thread; refused with ``ConnectionRefusedError``."""
        if os.getpid() != self._process:
            raise ConnectionRefusedError("The emulator is in another process: only its port can be reached from here")
        if self._refuses or not self._thread.is_alive():
            raise ConnectionRefusedError("Connection refused")
        transport = MemoryTransport(self._loop)
        self.schedule(transport.connect, self._made)
        return transport

    def submit(self, act: Callable[..., None], *arguments: object) -> Future[bytes]:
        """Call a method of a connection in the event loop, from any thread; return the future that it settles."""
        answer: Future[bytes] = Future()
        self._unsettled.add(answer)
        answer.add_done_callback(self._unsettled.discard)
        if not self.schedule(act, *arguments, answer):
            settle(answer, ConnectionResetError("The emulator has stopped"))
        return answer

    def schedule(self, act: Callable[..., None], *arguments: object) -> bool:
        """Schedule a call in the event loop, from any thread; return ``False`` if the server has stopped."""
        try:
            self._loop.call_soon_threadsafe(act, *arguments)
        except RuntimeError:
            return False
        return True

    @contextmanager
    def refusing(self) -> Generator[None, None, None]:
        """Refuse connections within a ``with`` block; the port stays reserved."""
        self.call(self._refuse())
        try:
            yield
        finally:
            if self._thread.is_alive():
                self.call(self._accept())

    async def _refuse(self) -> None:
        if self._refuses:
            raise RuntimeError("The emulator refuses connections already")
        self._refuses = True
        addresses = [server.sockets[0].getsockname()[:2] for server in self._servers]
        for server in self._servers:
            server.close()
        # Bound again at once, but not listening.
        self._ports = [bound(*address) for address in addresses]
        for port in self._ports:
            _share(port, shared=False)
        for connection in list(self._state.connections):
            connection.shutdown()

    async def _accept(self) -> None:
        for port in self._ports:
            _share(port, shared=True)
        await self._listen()
        self._refuses = False

    async def _listen(self) -> None:
        self._servers[:] = [
            await self._loop.create_server(self._made, sock=port, backlog=_BACKLOG) for port in self._ports
        ]

    def _made(self) -> Protocol:
        return Protocol(self._config, self._state, {})

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self._stopping.wait()
        for server in self._servers:
            server.close()
        self._refuses = True
        await self._end()
        for connection in list(self._state.connections):
            connection.shutdown()
        until = self._loop.time() + _GRACE
        while (self._state.tasks or self._state.connections) and self._loop.time() < until:  # noqa: ASYNC110 - uvicorn's sets
            await asyncio.sleep(_TICK)
        for task in self._state.tasks:
            task.cancel()
        # The connection that was accepted last may be made only now.
        for _ in range(_TURNS):
            for connection in list(self._state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
        for port in self._ports:
            port.close()


def bound(host: str, port: int) -> socket.socket:
    """Reserve a port, 0 being any free one; raise ``OSError`` if it is not free."""
    if not 0 <= port <= _LAST_PORT:
        raise ValueError(f"port must be a number from 0 to {_LAST_PORT}, not {port}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY: without it a small response waits 40 ms for more data.
    reserved = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        _share(reserved, shared=True)
        if family == socket.AF_INET6:
            reserved.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        reserved.bind((host, port))
    except OSError as error:
        reserved.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(error.errno, _IN_USE.format(host=host, port=port)) from None
        raise
    return reserved


def _share(port: socket.socket, *, shared: bool) -> None:
    """Allow or refuse to bind the port while connections of an earlier server linger on it."""
    if os.name == "posix":
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(shared))


def address(host: str, port: int) -> str:
    """Return the address under which a server that listens there is reached from this computer."""
    where = ipaddress.ip_address(host)
    if where.is_unspecified:
        host = "127.0.0.1" if where.version == 4 else "::1"  # noqa: PLR2004 - the version of the protocol
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
