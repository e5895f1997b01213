"""The emulator: what users see of the local server."""

import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType, MappingProxyType
from typing import Any, Final, Self, Unpack

import httpx

from comfydeploy._emulator.app import Application
from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.bodies import UnprocessableError
from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments import DEPLOYMENTS
from comfydeploy._emulator.events import EventStream
from comfydeploy._emulator.faults import Fault, FaultOptions, Faults, ordered
from comfydeploy._emulator.received import ReceivedRequest, Recorder
from comfydeploy._emulator.service import Service, bound, reachable
from comfydeploy._emulator.transports import AsyncTransport, Transport

_NO_PORT: Final = "http://emulator"


class Emulator:
    """A ComfyDeploy server on this computer: a context manager that serves from a background thread.

    ``port`` 0 takes a free one; with ``None`` nothing listens, and only ``transport`` and ``async_transport`` reach
    the server. ``data`` is the folder that keeps runs, logs and files; without it they last
    until the end. ``pace`` multiplies every duration: 1 is like a person would see it, 0 never waits.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        bearer: str | None = None,
        data: str | Path | None = None,
        pace: float = 1.0,
    ) -> None:
        self.bearer: Final = "local-key" if bearer is None else bearer
        self.deployments: Final[Mapping[str, str]] = MappingProxyType({one.name: one.id for one in DEPLOYMENTS})
        self._wanted: Final = (host, port)
        self._data: Final = data
        self._clock: Final = Clock(pace)
        self._streams: Final[set[EventStream]] = set()
        self._faults: Final = Faults()
        self._recorder: Final = Recorder(self._clock)
        self._address: str | None = None
        self._service: Service | None = None
        self._exits: Final = ExitStack()

    @property
    def url(self) -> str:
        """The address of the API while it is served, such as ``http://127.0.0.1:3011/api``."""
        self._running()
        return f"{self._address}/api"

    @property
    def transport(self) -> httpx.BaseTransport:
        """A new httpx transport that reaches the server without a socket, whatever host it is asked for.

        Faults come out of it as the exceptions that a socket would give. It is for this process alone.
        """
        return Transport(self._running())

    @property
    def async_transport(self) -> httpx.AsyncBaseTransport:
        """The twin of ``transport``, for any event loop of asyncio."""
        return AsyncTransport(self._running())

    @property
    def open_streams(self) -> int:
        """The number of event streams that clients hold open at this moment."""
        return len(self._streams)

    def start(self) -> None:
        """Begin to serve; a port that cannot be had raises ``OSError``."""
        if self._service:
            raise RuntimeError("The emulator has been started already")
        host, number = self._wanted
        with ExitStack() as exits:
            port = None if number is None else exits.enter_context(bound(host, number))
            folder = self._data or exits.enter_context(TemporaryDirectory(prefix="comfydeploy-"))
            backend = exits.enter_context(closing(Backend(Path(folder), self._clock, self._streams)))
            app = Application(backend, self.bearer, self._faults, self._recorder)
            self._service = exits.enter_context(Service(app, port, app.stop))
            self._address = _address(*port.getsockname()[:2]) if port else _NO_PORT
            self._exits.push(exits.pop_all())

    def stop(self) -> None:
        """End all streams and stop serving; runs in progress are cancelled."""
        self._exits.close()
        self._service = None

    def refuse(self) -> AbstractContextManager[None]:
        """Refuse connections within a ``with`` block, as a server that is down does; what runs goes on."""
        return self._running().refusing()

    def fail(self, operation: str | None = None, **options: Unpack[FaultOptions]) -> Fault:
        """Let calls of an operation fail, as ``Fault`` explains: ``emulator.fail("run_queue", times=2, status=503)``.

        The operation has the name of the client's function, such as ``run_queue``, or is ``output_file`` or
        ``input_file``, the addresses of files; ``None`` or ``"*"`` is any. What is wrong with the options is a
        ``ValueError``.
        """
        try:
            fault = ordered({"operation": operation, **options})
        except UnprocessableError as error:
            raise ValueError("; ".join(_said(one) for one in error.problems)) from None
        self._faults.add(fault)
        return fault

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that may still be met, in the order in which they were ordered."""
        return self._faults.pending

    def clear_faults(self) -> None:
        """Let nothing fail any more."""
        self._faults.clear()

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The requests received so far, oldest first: the last 1,000 of them."""
        return self._recorder.requests

    def clear_requests(self) -> None:
        """Forget the requests received so far."""
        self._recorder.clear()

    def _running(self) -> Service:
        if not self._service:
            raise RuntimeError("The emulator has not been started")
        return self._service

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


def _address(host: str, port: int) -> str:
    host = reachable(host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _said(problem: dict[str, Any]) -> str:
    return f"{'.'.join(map(str, problem['loc'])) or 'fault'}: {problem['msg']}"
