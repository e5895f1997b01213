"""Common fixtures: calls, blocking and async; a local server; a raw server that sends any bytes."""

import asyncio
import faulthandler
import importlib
import os
import signal
import socket
import struct
import sys
import threading
from contextlib import contextmanager, suppress

import httpx2
import hypothesis
import pytest

if os.environ.get("COMFYDEPLOY_TEST_HTTPX2"):
    httpx2.alias_httpx()  # before anything imports httpx: the whole suite then runs on httpx2
if os.environ.get("COMFYDEPLOY_TEST_H11"):
    sys.modules["httptools"] = None  # type: ignore[assignment] # as if it were not installed

from comfydeploy import ComfyDeployCore
from comfydeploy._wire import json_decoding
from comfydeploy.emulator import Emulator

# The duration of an example is no error, as machines may be busy.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("brief", hypothesis.settings.get_profile("patient"), max_examples=20)
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("patient"), max_examples=40)
hypothesis.settings.register_profile("long", hypothesis.settings.get_profile("patient"), max_examples=1000)
hypothesis.settings.load_profile("patient")

# A shell ignores Ctrl-C in what it starts in the background, and so would every test that sends one.
signal.signal(signal.SIGINT, signal.default_int_handler)


_LIMIT = 180
"""Seconds for each test, its fixtures and their end: ten times what the slowest takes, as machines may be busy."""


@contextmanager
def limited(seconds=_LIMIT):
    """Fail after so many seconds, also in a wait without an end, and print what each thread was doing."""

    def fail(*_):
        faulthandler.dump_traceback(sys.__stderr__)
        pytest.fail(f"longer than {seconds} s")

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    """Limit the fixtures."""
    with limited():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """Limit the test."""
    with limited():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    """Limit the end of the fixtures."""
    with limited():
        return (yield)


@pytest.fixture(params=["blocking", "awaited"])
def calls(request):
    """Call the operations, blocking or async: ``calls("run_get", core, ...)``."""
    caller = Caller(awaited=request.param == "awaited")
    yield caller
    caller.close()


class Caller:
    """All operations, blocking or async, and their cores, which are closed at the end."""

    def __init__(self, *, awaited):
        self.awaited = awaited
        self._cores = []
        self._runner = asyncio.Runner()

    def core(self, url="http://127.0.0.1:1", **settings):
        settings.setdefault("async_transport", settings.get("transport"))
        core = ComfyDeployCore(**{"bearer": "key-of-the-test", "server_url": url} | settings)
        self._cores.append(core)
        return core

    def __call__(self, name, core, /, *arguments, **named):
        module = importlib.import_module(f"comfydeploy.funcs.{name}")
        if not self.awaited:
            return getattr(module, name)(core, *arguments, **named)
        return self.run(getattr(module, f"{name}_async")(core, *arguments, **named))

    def pages(self, name, core, /, *arguments, **named):
        """Read all pages of an operation that returns pages."""
        module = importlib.import_module(f"comfydeploy.funcs.{name}")
        function = getattr(module, f"{name}_async" if self.awaited else name)
        return self.items(function(core, *arguments, **named))

    def run(self, awaitable):
        async def wait():
            return await awaitable

        return self._runner.run(wait())

    def items(self, stream, count=None):
        """Read a stream to its end, or only its first items, as a loop does that is left early."""
        if self.awaited:
            return self.run(self._items_async(stream, count))
        items = []
        for item in stream:
            items.append(item)
            if len(items) == count:
                break
        return items

    async def _items_async(self, stream, count):
        items = []
        async for item in stream:
            items.append(item)
            if len(items) == count:
                break
        return items

    def wait(self, event):
        """Wait for a threading event without blocking the event loop."""
        return self.run(asyncio.to_thread(event.wait, 5))

    def close_stream(self, stream):
        if self.awaited:
            self.run(stream.aclose())
        else:
            stream.close()

    def close_core(self, core):
        if self.awaited:
            self.run(core.aclose())
        else:
            core.close()

    def close(self):
        for core in self._cores:
            self.close_core(core)
        self._runner.close()


@pytest.fixture(scope="module", params=["json", "msgspec"])
def each_parser(request):
    """Read JSON both ways, with and without the extra."""
    from msgspec.json import Decoder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_decoding, "accept", json_decoding.scanned if request.param == "json" else Decoder().decode)
        yield


@pytest.fixture(scope="session")
def emulator():
    with Emulator(pace=0) as running:
        yield running


@pytest.fixture
def raw():
    """Create servers that send given bytes: ``raw(b"HTTP/1.1 ...", RawServer.RESET, ...)``."""
    servers = []

    def serve(*answers):
        servers.append(RawServer(answers))
        return servers[-1]

    serve.HANG = RawServer.HANG
    yield serve
    for server in servers:
        server.close()


class RawServer:
    """Answers each request with the next of its answers, and repeats the last one.

    An answer is bytes, or a list of bytes, of the actions below and of events to wait for.
    """

    RESET = "reset"
    CLOSE = "close"
    HANG = "hang"

    def __init__(self, answers):
        self.requests = []
        self.left = threading.Event()
        """Set when a client closes its connection while the server hangs."""
        self._answers = [answer if isinstance(answer, list) else [answer] for answer in answers]
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.connections = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection):
        with suppress(OSError), connection, connection.makefile("rb") as reader:
            while head := self._head(reader):
                self.requests.append(head)
                for part in self._answers[min(len(self.requests), len(self._answers)) - 1]:
                    if part == self.RESET:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    if part == self.CLOSE:
                        return
                    if part == self.HANG:
                        with suppress(ConnectionResetError):  # as after a client that leaves with unread bytes
                            connection.recv(1)
                        self.left.set()
                        return
                    if isinstance(part, threading.Event):
                        part.wait(5)
                        continue
                    connection.sendall(part)

    def _head(self, reader):
        lines = []
        while (line := reader.readline()) not in (b"\r\n", b""):
            lines.append(line.decode().strip())
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        body = reader.read(int(headers.get("content-length", 0)))
        return (lines[0], headers, body) if lines else None

    def close(self):
        for one in (self._listening, *self.connections):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def answer():
    """Return an HTTP response: ``answer(200, b"{}", content_type="application/json")``."""

    def write(status, body=b"", content_type="application/json", **headers):
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", f"content-type: {content_type}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    return write


@pytest.fixture
def emulator_at_rest():
    """A local server on which time stands still."""
    with Emulator(clock="manual") as made:
        yield made
