"""The emulator: the application on a port, in a thread of its own."""

import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType, MappingProxyType
from typing import Final, Self

import uvicorn

from comfydeploy._emulator.app import application
from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deliveries import Deliveries, Delivery
from comfydeploy._emulator.deployments import DEPLOYMENTS
from comfydeploy._emulator.events import EventStream
from comfydeploy._emulator.quirks.catalogue import Quirk, chosen


class Emulator:
    """A ComfyDeploy server on this computer: a context manager that serves from a background thread.

    ``port`` 0 takes a free one. ``data`` is the folder that keeps runs, logs and files; without it they last
    until the end. ``pace`` multiplies every duration: 1 is like a person would see it, 0 never waits.
    ``quirks`` names what of the real server's misbehaviour to show (see ``Quirk``), or is ``"all"``; an unknown name
    is a ``ValueError``.
    """

    def __init__(  # noqa: PLR0913 - all by name, and none is needed
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        bearer: str | None = None,
        data: str | Path | None = None,
        pace: float = 1.0,
        quirks: str | Iterable[str] = (),
    ) -> None:
        self.bearer: Final = "local-key" if bearer is None else bearer
        self.deployments: Final[Mapping[str, str]] = MappingProxyType({one.name: one.id for one in DEPLOYMENTS})
        self._wanted: Final = (host, port)
        self._data: Final = data
        self.quirks: Final[frozenset[Quirk]] = chosen(quirks)
        self._clock: Final = Clock(pace)
        self._deliveries: Final = Deliveries()
        self._streams: Final[set[EventStream]] = set()
        self._address: tuple[str, int] | None = None
        self._exits: Final = ExitStack()

    @property
    def url(self) -> str:
        """The address of the API while it is served, such as ``http://127.0.0.1:3011/api``."""
        if not self._address:
            raise RuntimeError("The emulator has not been started")
        host, port = self._address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/api"

    @property
    def open_streams(self) -> int:
        """The number of event streams that clients hold open at this moment."""
        return len(self._streams)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Every request that was sent to a webhook, oldest first, of the latest 10,000; also after the end."""
        return self._deliveries.all()

    def start(self) -> None:
        """Begin to serve; a port that cannot be had raises ``OSError``."""
        if self._address:
            raise RuntimeError("The emulator has been started already")
        with ExitStack() as exits:
            listening = exits.enter_context(_listening(*self._wanted))
            folder = self._data or exits.enter_context(TemporaryDirectory(prefix="comfydeploy-"))
            backend = exits.enter_context(
                closing(Backend(Path(folder), self._clock, self._streams, self._deliveries, self.quirks))
            )
            server = _Server(backend, self.bearer)
            thread = threading.Thread(target=server.run, args=([listening],), name="comfydeploy-emulator", daemon=True)
            thread.start()
            exits.callback(thread.join)
            exits.callback(server.ask_to_exit)
            host, port = listening.getsockname()[:2]
            self._address = (_reachable(host), port)
            self._exits.push(exits.pop_all())

    def stop(self) -> None:
        """End all streams and stop serving; runs in progress are cancelled."""
        self._exits.close()
        self._address = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve_forever(self, announce: Callable[["Emulator"], object] = lambda _: None) -> None:
        """Serve until Ctrl-C or SIGTERM; ``announce`` is called once requests are answered. Main thread only."""
        asked = threading.Event()

        def ask(_signal: int, _frame: FrameType | None) -> None:
            asked.set()

        with ExitStack() as exits:
            for number in (signal.SIGINT, signal.SIGTERM):
                exits.callback(signal.signal, number, signal.signal(number, ask))
            with self:
                announce(self)
                # On Windows a wait without end would not notice Ctrl-C.
                while not asked.wait(1):
                    pass


class _Server(uvicorn.Server):
    """Uvicorn, made to end the runs before it waits for their streams to end."""

    def __init__(self, backend: Backend, bearer: str) -> None:
        super().__init__(
            uvicorn.Config(
                application(backend, bearer),
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                timeout_graceful_shutdown=1,
            )
        )
        self._backend = backend

    def ask_to_exit(self) -> None:
        """Stop serving soon; may be called from any thread."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        await self._backend.stop()
        await super().shutdown(sockets)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.create_server((host, port), family=family, backlog=1024)
    # Said to be TCP, as it is: only then does asyncio send small answers at once, without 40 ms of waiting for more.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, server.detach())


def _reachable(host: str) -> str:
    address = ipaddress.ip_address(host)
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - the version of the protocol
