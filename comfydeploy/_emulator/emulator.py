"""The emulator: the public face of the local server."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, Self, Unpack

import httpx

from comfydeploy._emulator.app import LOCAL_KEY, Application
from comfydeploy._emulator.backend import COLD_START, Backend, Settings
from comfydeploy._emulator.clock import chosen_clock
from comfydeploy._emulator.comfyui import connected
from comfydeploy._emulator.deployments.catalogue import Catalogue
from comfydeploy._emulator.deployments.deployment import USUAL
from comfydeploy._emulator.deployments.outcomes import Outcome
from comfydeploy._emulator.faults.faults import Fault, FaultOptions, Faults
from comfydeploy._emulator.quirks.catalogue import Quirk, chosen
from comfydeploy._emulator.routes.service import OPERATIONS
from comfydeploy._emulator.runs.run import Run
from comfydeploy._emulator.serving.ending import ending
from comfydeploy._emulator.serving.service import Service, address, bound
from comfydeploy._emulator.serving.transports import AsyncTransport, Transport
from comfydeploy._emulator.validation import UnprocessableError
from comfydeploy._emulator.web.event_stream import EventStream
from comfydeploy._emulator.web.recorder import ReceivedRequest, Recorder
from comfydeploy._emulator.webhooks.deliveries import Deliveries, Delivery
from comfydeploy._emulator.webhooks.transport import AppTransport

_LOOPBACK: Final = "127.0.0.1"
_NO_PORT: Final = "http://emulator"


class Emulator:
    """A ComfyDeploy server on this computer: a context manager that serves from a background thread.

    ``port`` 0 takes a free one; with ``None`` nothing listens, and only ``transport`` and ``async_transport`` reach
    the server. ``data`` is the folder that keeps runs, logs and files; without it they last until the end. ``pace``
    multiplies every duration: 1 is about the speed of a real run, 0 never waits.

    With a ``seed`` the same requests get the same ids. The ``manual`` clock begins at a fixed moment and stands still
    until :meth:`advance` is called; what takes no time, such as ``Succeeds(seconds=0)`` with ``cold_start`` 0, happens
    anyway. A machine takes a new run after ``cold_start`` seconds, which is 0 with ``comfyui`` and else 0.3; until then
    ``queue_length`` runs of others wait before it, which leave one by one: ``queue_position`` has its place, the first
    being 1. With ``retention`` only so many of the ended runs are kept, the latest, with their logs and files.

    ``quirks`` names the misbehaviour of the real server to show, see ``Quirk``; ``"all"`` is all of it. An unknown
    name is a ``ValueError``.

    ``comfyui`` is the address of a ComfyUI, such as ``http://127.0.0.1:8188`` (extra ``comfydeploy[comfyui]``): it
    executes the graphs of workflow runs, and those of the folder ``workflows``, where each ``name.json``, in ComfyUI's
    API format, is the deployment ``name``.

    Requests must be sent to an address or to a name of this computer, or to one of ``allowed_hosts``: a page of
    another site could make its own name stand for this computer. Pages of this computer and of ``allowed_origins``,
    such as ``https://app.example.com``, may read the responses. Webhooks, and files that inputs name, may be at
    loopback and public addresses and in ``allowed_networks``, such as ``172.16.0.0/12``; ``"private"`` allows all.
    """

    def __init__(  # noqa: PLR0913 - all that can be set
        self,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        bearer: str | None = None,
        data: str | Path | None = None,
        pace: float = 1.0,
        seed: int | None = None,
        clock: Literal["real", "manual"] = "real",
        cold_start: float | None = None,
        queue_length: int = 0,
        retention: int | None = None,
        quirks: str | Iterable[str] = (),
        comfyui: str | None = None,
        workflows: str | Path | None = None,
        allowed_hosts: str | Iterable[str] = (),
        allowed_origins: str | Iterable[str] = (),
        allowed_networks: str | Iterable[str] = (),
    ) -> None:
        executing, folder = connected(comfyui, workflows)
        if cold_start is None:
            # A machine whose ComfyUI is running already starts at once.
            cold_start = 0.0 if executing else COLD_START
        self.bearer: Final = LOCAL_KEY if bearer is None else bearer
        self._requested: Final = (host, port)
        self._settings: Final = Settings(
            data=Path(data) if data else None,
            seed=seed,
            cold_start=cold_start,
            queue_length=queue_length,
            retention=retention,
            quirks=chosen(quirks),
            comfyui=executing,
            allowed_hosts=_names(allowed_hosts),
            allowed_origins=_names(allowed_origins),
            allowed_networks=_names(allowed_networks),
        )
        self._clock: Final = chosen_clock(clock, pace)
        self._folder: Final = folder
        self._catalogue: Final = Catalogue(folder.deployments if folder else tuple)
        self._deliveries: Final = Deliveries()
        self._streams: Final[set[EventStream]] = set()
        self._faults: Final = Faults(OPERATIONS.names)
        self._recorder: Final = Recorder(self._clock, OPERATIONS)
        self._address: str | None = None
        self._service: Service | None = None
        self._exits: Final = ExitStack()
        self._backend: Backend | None = None
        self._receiver: AppTransport | None = None

    @property
    def url(self) -> str:
        """The address of the API while it is served, such as ``http://127.0.0.1:3011/api``."""
        self._serving()
        return f"{self._address}/api"

    @property
    def transport(self) -> httpx.BaseTransport:
        """A new httpx transport that reaches the server without a socket, whatever the host in the address.

        Faults come out of it as the exceptions that a socket would give. It is for this process alone.
        """
        return Transport(self._serving()[0])

    @property
    def async_transport(self) -> httpx.AsyncBaseTransport:
        """A new async httpx transport, as ``transport``, for any event loop of asyncio."""
        return AsyncTransport(self._serving()[0])

    @property
    def deployments(self) -> Mapping[str, str]:
        """The ids of the deployments, by name; one outside of production has its environment behind its name."""
        return {one.title: one.id for one in self._catalogue.all()}

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every run as it is at this moment, oldest first; what happens later does not change them.

        It may be read from any thread while the emulator serves.
        """
        service, backend = self._serving()
        return service.call(backend.runs())

    @property
    def quirks(self) -> frozenset[Quirk]:
        """The quirks that it shows: those that it was created with, until the page switches others on."""
        return frozenset(self._backend.quirks) if self._backend else self._settings.quirks

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

        Outcomes are used in order: ``script("picture", Fails())`` and ``script("picture", Succeeds())`` make one run
        fail and the next one succeed.
        """
        self._catalogue.script(deployment, outcome, times)

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the ComfyUI and the workflows, one sentence each; it sends requests to ComfyUI."""
        service, backend = self._serving()
        problems = self._folder.problems() if self._folder else []
        return (*problems, *service.call(backend.comfyui_problems(self._folder)))

    def deliver_to(self, app: Callable[..., Any] | None) -> None:
        """Send all webhooks to an ASGI or WSGI application in this process, so that a test needs no server for it.

        It replaces the network for all addresses, and is called in a thread of the emulator. ``None`` ends that.
        """
        self._receiver = AppTransport(app) if app else None
        if self._backend:
            self._backend.receiver = self._receiver

    def advance(self, seconds: float) -> None:
        """Advance the manual clock by seconds; return when everything that was due has happened.

        That is: runs have gone on or ended, their states are kept, and their webhooks have been sent. 0 lets happen
        what needs no time. Threads that call at once follow one another. In a coroutine use :meth:`advance_async`.
        """
        service, backend = self._serving()
        service.call(backend.advance(seconds))

    async def advance_async(self, seconds: float) -> None:
        """Advance the clock as :meth:`advance` does, without blocking the event loop of the caller."""
        await asyncio.to_thread(self.advance, seconds)

    def start(self) -> None:
        """Begin to serve; raise ``OSError`` if the port is not free."""
        if self._service:
            raise RuntimeError("The emulator has been started already")
        host, number = self._requested
        with ExitStack() as exits:
            ports = [] if number is None else [exits.enter_context(bound(host, number))]
            if ports and host == _LOOPBACK:
                # The name localhost is this address first on some systems.
                with suppress(OSError):
                    ports.append(exits.enter_context(bound("::1", ports[0].getsockname()[1])))
            backend = Backend(self._settings, self._clock, self._catalogue, self._streams, self._deliveries)
            backend.receiver = self._receiver
            exits.enter_context(closing(backend))
            app = Application(backend, self.bearer, self._faults, self._recorder)
            self._service = exits.enter_context(Service(app, ports, app.stop))
            self._backend = backend
            self._address = address(*ports[0].getsockname()[:2]) if ports else _NO_PORT
            self._exits.push(exits.pop_all())

    def stop(self) -> None:
        """End all streams and stop serving; runs in progress are cancelled."""
        self._exits.close()
        self._service = self._backend = None

    def refuse(self) -> AbstractContextManager[None]:
        """Refuse connections within a ``with`` block, as a server that is down does; runs in progress go on."""
        return self._serving()[0].refusing()

    def fail(self, operation: str | None = None, **options: Unpack[FaultOptions]) -> Fault:
        """Make calls of an operation fail, as ``Fault`` describes: ``emulator.fail("run_queue", times=2, status=503)``.

        The operation has the name of the client's function, such as ``run_queue``, or is ``output_file`` or
        ``input_file``, the addresses of files; ``None`` or ``"*"`` is any. What is wrong with the options is a
        ``ValueError``.
        """
        try:
            return self._faults.add({"operation": operation, **options})
        except UnprocessableError as error:
            raise ValueError(str(error)) from None

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that are not used up, in the order in which they were added."""
        return self._faults.pending

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The requests received so far, oldest first: the last 1,000 of them, fewer when they are large."""
        return self._recorder.requests

    def clear_requests(self) -> None:
        """Forget the requests received so far."""
        self._recorder.clear()

    def _serving(self) -> tuple[Service, Backend]:
        if not self._service or not self._backend:
            raise RuntimeError("The emulator has not been started")
        return self._service, self._backend

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve_forever(self, announce: Callable[["Emulator"], object] = lambda _: None) -> None:
        """Serve until Ctrl-C or SIGTERM; ``announce`` is called once requests are answered. Main thread only."""
        with ending() as wait, self:
            announce(self)
            wait()


def _names(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
