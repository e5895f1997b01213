"""The emulator: the application on a port, in a thread of its own."""

import asyncio
import ipaddress
import math
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, closing
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

import uvicorn

from comfydeploy._emulator.app import LOCAL_KEY, application
from comfydeploy._emulator.backend import Backend, Settings
from comfydeploy._emulator.catalogue import Catalogue
from comfydeploy._emulator.clock import Clock, ManualClock
from comfydeploy._emulator.deliveries import Deliveries, Delivery
from comfydeploy._emulator.deployments import USUAL, Deployment
from comfydeploy._emulator.events import EventStream
from comfydeploy._emulator.outcomes import Outcome
from comfydeploy._emulator.quirks.catalogue import Quirk, chosen
from comfydeploy._emulator.runs import Run

if TYPE_CHECKING:
    from comfydeploy._emulator.comfyui.client import ComfyUI

V = TypeVar("V")


class Emulator:
    """A ComfyDeploy server on this computer: a context manager that serves from a background thread.

    ``port`` 0 takes a free one. ``data`` is the folder that keeps runs, logs and files; without it they last
    until the end. ``pace`` multiplies every duration: 1 is like a person would see it, 0 never waits.

    With a ``seed`` the same requests get the same ids. The ``manual`` clock begins at a fixed moment and stands still
    until :meth:`advance` is called; what takes no time, such as ``Succeeds(seconds=0)`` with ``cold_start`` 0, happens
    all the same. A machine takes a new run after ``cold_start`` seconds; until then ``queue_length`` runs of others
    wait before it, which leave one by one: ``queue_position`` tells its place, the first being 1. With ``retention``
    only so many of the runs that have ended are kept, the latest, with their logs and files.

    ``quirks`` names what of the real server's misbehaviour to show, see ``Quirk``; ``"all"`` is all of it. An unknown
    name is a ``ValueError``.

    ``comfyui`` is the address of a ComfyUI, such as ``http://127.0.0.1:8188`` (extra ``comfydeploy[comfyui]``): it
    executes the graphs of workflow runs, and those of the folder ``workflows``, where each ``name.json``, in ComfyUI's
    API format, is the deployment ``name``.
    """

    def __init__(  # noqa: PLR0913 - all that can be set
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        bearer: str | None = None,
        data: str | Path | None = None,
        pace: float = 1.0,
        seed: int | None = None,
        clock: Literal["real", "manual"] = "real",
        cold_start: float = 0.3,
        queue_length: int = 0,
        retention: int | None = None,
        quirks: str | Iterable[str] = (),
        comfyui: str | None = None,
        workflows: str | Path | None = None,
    ) -> None:
        if not 0 <= pace < math.inf:
            raise ValueError(f"pace must be a number, 0 or more, not {pace}")
        if clock not in {"real", "manual"}:
            raise ValueError(f"clock must be 'real' or 'manual', not {clock!r}")
        self.bearer: Final = LOCAL_KEY if bearer is None else bearer
        self._wanted: Final = (host, port)
        self._settings: Final = Settings(
            data=Path(data) if data else None,
            seed=seed,
            cold_start=cold_start,
            queue_length=queue_length,
            retention=retention,
            quirks=chosen(quirks),
            comfyui=None if comfyui is None else _reached(comfyui),
        )
        self._clock: Final = ManualClock(pace) if clock == "manual" else Clock(pace)
        self._catalogue: Final = Catalogue(_deployed(workflows, comfyui))
        self._deliveries: Final = Deliveries()
        self._streams: Final[set[EventStream]] = set()
        self._address: tuple[str, int] | None = None
        self._exits: Final = ExitStack()
        self._server: _Server | None = None
        self._advancing: Final = threading.Lock()

    @property
    def url(self) -> str:
        """The address of the API while it is served, such as ``http://127.0.0.1:3011/api``."""
        if not self._address:
            raise RuntimeError("The emulator has not been started")
        host, port = self._address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/api"

    @property
    def deployments(self) -> Mapping[str, str]:
        """The ids of the deployments by their names."""
        return {one.name: one.id for one in self._catalogue.all()}

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every run as it is at this moment, oldest first; what happens later does not change them.

        May be asked for from any thread while the emulator serves.
        """
        server = self._serving()
        return server.result(server.runs())

    @property
    def quirks(self) -> frozenset[Quirk]:
        """The quirks that it shows."""
        return self._settings.quirks

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Every request that was sent to a webhook, oldest first, of the latest 10,000; also after the end."""
        return self._deliveries.all()

    @property
    def open_streams(self) -> int:
        """The number of event streams that clients hold open at this moment."""
        return len(self._streams)

    def add_deployment(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002 - as it is called where it comes from
        inputs: Mapping[str, str | float | bool] = MappingProxyType({}),
        outcome: Outcome = USUAL,
    ) -> str:
        """Add a deployment of your own and return its id, which is ``id``, a UUID, if there is one.

        ``inputs`` are its inputs with their default values. Its runs end with ``outcome``; usually they succeed with
        a picture, drawn from the inputs ``prompt``, ``seed``, ``width`` and ``height``.
        """
        return self._catalogue.add(name, id, inputs, outcome)

    def script(self, deployment: str, outcome: Outcome, *, times: int | None = 1) -> None:
        """Decide how the next ``times`` runs of a deployment, given by its name, end; ``None``: all from now on.

        Outcomes wait in a line: ``script("picture", Fails())`` and ``script("picture", Succeeds())`` make one run
        fail and the next one succeed.
        """
        self._catalogue.script(deployment, outcome, times)

    def advance(self, seconds: float) -> None:
        """Let time pass on the manual clock; returns when everything that was due has happened.

        That is: runs have gone on or ended, their states are kept, and their webhooks have been told. 0 lets happen
        what needs no time. Threads that call at once follow one another. In a coroutine use :meth:`advance_async`.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError(f"seconds must be a number, 0 or more, not {seconds}")
        with self._advancing:
            server = self._serving()
            server.result(self._clock.advance(seconds))

    async def advance_async(self, seconds: float) -> None:
        """Let time pass like :meth:`advance`, while the event loop of the caller goes on."""
        await asyncio.to_thread(self.advance, seconds)

    def start(self) -> None:
        """Begin to serve; a port that cannot be had raises ``OSError``."""
        if self._address:
            raise RuntimeError("The emulator has been started already")
        with ExitStack() as exits:
            listening = exits.enter_context(_listening(*self._wanted))
            backend = Backend(self._settings, self._clock, self._catalogue, self._streams, self._deliveries)
            exits.enter_context(closing(backend))
            server = _Server(backend, self.bearer)
            thread = threading.Thread(target=server.run, args=([listening],), name="comfydeploy-emulator", daemon=True)
            thread.start()
            exits.callback(thread.join)
            exits.callback(server.ask_to_exit)
            host, port = listening.getsockname()[:2]
            self._address = (_reachable(host), port)
            self._server = server
            self._exits.push(exits.pop_all())

    def stop(self) -> None:
        """End all streams and stop serving; runs in progress are cancelled."""
        self._exits.close()
        self._address = self._server = None

    def _serving(self) -> "_Server":
        if not self._server:
            raise RuntimeError("The emulator has not been started")
        return self._server

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
        self._backend: Final = backend
        self._loop: Final[Future[asyncio.AbstractEventLoop]] = Future()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        self._loop.set_result(asyncio.get_running_loop())

    def result(self, work: Coroutine[Any, Any, V]) -> V:
        """Do work where the runs are, and return what it gives; to be called from any other thread."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop.result()).result()
        except CancelledError:
            raise RuntimeError("The emulator has been stopped") from None

    async def runs(self) -> tuple[Run, ...]:
        """Return all runs, oldest first."""
        return tuple(self._backend.store.runs())

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
