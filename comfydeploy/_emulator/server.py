"""The emulator: the application on a port, in a thread of its own."""

import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, Final, Self

import uvicorn

from comfydeploy._emulator.app import application
from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments import Deployment, Deployments
from comfydeploy._emulator.events import EventStream

if TYPE_CHECKING:
    from comfydeploy._emulator.comfyui.client import ComfyUI


class Emulator:
    """A ComfyDeploy server on this computer: a context manager that serves from a background thread.

    ``port`` 0 takes a free one. ``data`` is the folder that keeps runs, logs and files; without it they last
    until the end. ``pace`` multiplies every duration: 1 is like a person would see it, 0 never waits.

    ``comfyui`` is the address of a ComfyUI, such as ``http://127.0.0.1:8188`` (extra ``comfydeploy[comfyui]``): it
    executes the graphs of workflow runs, and those of the folder ``workflows``, where each ``name.json``, in ComfyUI's
    API format, is the deployment ``name``.
    """

    def __init__(  # noqa: PLR0913 - a server has many sides
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        bearer: str | None = None,
        data: str | Path | None = None,
        pace: float = 1.0,
        comfyui: str | None = None,
        workflows: str | Path | None = None,
    ) -> None:
        self.bearer: Final = "local-key" if bearer is None else bearer
        self._comfyui: Final = None if comfyui is None else _reached(comfyui)
        self._deployments: Final = Deployments(_deployed(workflows, comfyui))
        self.deployments: Final[Mapping[str, str]] = MappingProxyType(
            {one.name: one.id for one in self._deployments.all}
        )
        self._wanted: Final = (host, port)
        self._data: Final = data
        self._clock: Final = Clock(pace)
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

    def start(self) -> None:
        """Begin to serve; a port that cannot be had raises ``OSError``."""
        if self._address:
            raise RuntimeError("The emulator has been started already")
        with ExitStack() as exits:
            listening = exits.enter_context(_listening(*self._wanted))
            folder = self._data or exits.enter_context(TemporaryDirectory(prefix="comfydeploy-"))
            backend = exits.enter_context(
                closing(Backend(Path(folder), self._clock, self._streams, self._deployments, self._comfyui))
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


def _reached(comfyui: str) -> "ComfyUI":
    try:
        from comfydeploy._emulator.comfyui.client import ComfyUI
    except ModuleNotFoundError as missing:
        needed = "to execute graphs needs: pip install 'comfydeploy[comfyui]'"
        raise ModuleNotFoundError(f"{missing.name} is not installed; {needed}", name=missing.name) from None
    return ComfyUI(comfyui)


def _deployed(workflows: str | Path | None, comfyui: str | None) -> Sequence[Deployment]:
    if workflows is None:
        return ()
    if comfyui is None:
        raise ValueError("workflows needs comfyui: the address of the ComfyUI that executes them")
    from comfydeploy._emulator.comfyui.workflows import workflows_in

    return workflows_in(Path(workflows))


def _reachable(host: str) -> str:
    address = ipaddress.ip_address(host)
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - the version of the protocol
