"""``RequestOptions.deadline`` in every phase of a call, with the clients of the core and with given ones."""

import asyncio
import io
import socket
import threading
import time
from contextlib import suppress

import httpx
import pytest

from comfydeploy import BackoffStrategy, Failure, RequestOptions, RetryConfig, Success
from comfydeploy.errors import ConnectionError, RequestTimeoutError, SDKError
from comfydeploy.funcs.run_get import run_get_async
from comfydeploy.outcome import DeadlineExceeded

SHORT = 0.15
SOON = 3.0  # on a busy machine
LATE = RequestOptions(deadline=SHORT)
ORDER = {"deployment_id": "d"}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
EVENT = b'event: event_update\ndata: {"event": "queuing"}\n\n'


class Trickle:
    """Answers each request with some bytes at once and then one more every 10 ms, until the client leaves."""

    def __init__(self, at_once, more, most):
        self._answer = at_once, more, most
        self.left = threading.Event()
        self._closing = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection):
        at_once, more, most = self._answer
        with suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(at_once)
            while most and not self._closing.wait(0.01):
                connection.sendall(more)
                most -= 1
        self.left.set()

    def close(self):
        self._closing.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def trickle():
    servers = []

    def serve(at_once, more, most=1_000_000):
        servers.append(Trickle(at_once, more, most))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def deaf():
    """The address of a server that accepts connections and reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(params=["own", "given"])
def core(request, calls):
    """Create a core with its own clients or with given ones."""
    clients = []

    def make(url, **settings):
        if request.param == "given":
            with_async = httpx.AsyncClient(trust_env=False, timeout=None)
            clients[:] = [httpx.Client(trust_env=False, timeout=None), with_async]
            settings |= {"http_client": clients[0], "async_http_client": clients[1]}
        return calls.core(url, **settings)

    make.is_given = request.param == "given"
    # A given async client begins each limit anew, so that on a busy machine the limit of the whole call may be first.
    make.names = lambda phase: () if make.is_given and calls.awaited else (phase,)
    yield make
    if clients:
        clients[0].close()
        calls.run(clients[1].aclose())


@pytest.fixture(autouse=True)
def in_time():
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SOON


def late(result, *parts, fate="unknown"):
    error = result.failure()
    assert isinstance(error, RequestTimeoutError), repr(error)
    assert error.message.startswith(f"The deadline of {SHORT:g} s passed "), error.message
    for part in parts:
        assert part in error.message
    assert fate in (error.fate, None)
    return error


class TestPhases:
    def test_connecting(self, calls, core, deaf):
        phase = core.names("while connecting to https://")
        late(calls("run_get", core(f"https://{deaf}"), "r", LATE), *phase, fate="not_sent" if phase else None)

    def test_upload(self, calls, core, deaf):
        file = io.BytesIO(bytes(30_000_000))
        file.name = "a.png"
        error = late(
            calls("file_upload", core(f"http://{deaf}"), file, LATE), *core.names("while sending POST http://")
        )
        assert error.run_id is None

    def test_waiting_for_head(self, calls, core, raw):
        server = raw(raw.HANG)
        late(
            calls("run_queue", core(server.url), ORDER, LATE),
            *core.names("while waiting for the response to POST http://"),
        )
        assert calls.wait(server.left)

    def test_trickled_head(self, calls, core, trickle):
        # A given blocking client waits for each byte anew, so that it may read on after the deadline.
        is_bounded = core.is_given and not calls.awaited
        server = trickle(b"HTTP/1.1 200 OK\r\nx-a: ", b"a", 15 if is_bounded else 1_000_000)
        result = calls("run_queue", core(server.url), ORDER, LATE)
        if is_bounded:
            assert isinstance(result.failure(), ConnectionError | RequestTimeoutError)
        else:
            late(result)
        assert calls.wait(server.left)

    def test_trickled_body(self, calls, core, trickle):
        is_bounded = core.is_given and not calls.awaited
        server = trickle(HEAD, b" ", 15 if is_bounded else 1_000_000)
        result = calls("run_get", core(server.url), "r", LATE)
        if is_bounded:
            assert isinstance(result.failure(), ConnectionError | RequestTimeoutError)
        else:
            late(result)
        assert result.failure().run_id == "r"
        assert calls.wait(server.left)

    @pytest.mark.parametrize("more", [b":\n", EVENT])
    def test_stream(self, calls, core, trickle, more):
        server = trickle(STREAM + EVENT, more)
        stream = calls("run_stream", core(server.url), ORDER, RequestOptions(deadline=0.4)).unwrap()
        *events, last = calls.items(stream)
        assert events
        assert all(isinstance(event, Success) for event in events)
        error = last.failure()
        assert isinstance(error, RequestTimeoutError)
        assert error.message == "The deadline of 0.4 s passed while the response was read"
        assert error.fate == "answered"
        assert calls.wait(server.left)

    def test_stream_after_deadline(self, calls, core, trickle, monkeypatch):
        server = trickle(STREAM + EVENT, EVENT)
        stream = calls("run_stream", core(server.url), ORDER, RequestOptions(deadline=100)).unwrap()
        monkeypatch.setattr("comfydeploy.streaming.monotonic", lambda: time.monotonic() + 200)
        (last,) = calls.items(stream)
        assert "The deadline of 100 s passed" in last.failure().message

    def test_retry_pause(self, calls, core, raw, answer):
        server = raw(answer(503, b"{}", retry_after=30))
        error = calls("run_get", core(server.url), "r", RequestOptions(deadline=20, retries=RetryConfig())).failure()
        assert (type(error), error.status_code) == (SDKError, 503)  # a pause past the deadline is not started
        assert len(server.requests) == 1

    def test_later_attempt(self, calls, core, raw, answer):
        server = raw(answer(503, b"{}", retry_after=0), raw.HANG)
        # Long enough for the first attempt, as the second one hangs in any case.
        options = RequestOptions(deadline=0.5, retries=RetryConfig("backoff", BackoffStrategy(0.0, 0.0)))
        error = calls("run_queue", core(server.url), ORDER, options).failure()
        assert isinstance(error, RequestTimeoutError)
        assert error.message.startswith("The deadline of 0.5 s passed ")
        assert error.fate == "unknown"
        assert len(server.requests) == 2

    def test_wait(self, calls, core, emulator_at_rest):
        emulator = emulator_at_rest
        order = {"deployment_id": emulator.deployments["picture"]}
        made = core(emulator.url, bearer=emulator.bearer)
        error = calls("run_queue_and_wait", made, order, RequestOptions(deadline=0.6)).failure()
        assert isinstance(error, DeadlineExceeded)
        assert (error.run_id, error.cancelled, error.run.status) == (emulator.runs[-1].id, "no", "not-started")

    def test_wait_that_hangs(self, calls, core, emulator_at_rest):
        emulator = emulator_at_rest
        emulator.fail("run_get", hang=True)
        order = {"deployment_id": emulator.deployments["picture"]}
        made = core(emulator.url, bearer=emulator.bearer)
        error = calls("run_queue_and_wait", made, order, RequestOptions(deadline=0.6)).failure()
        assert isinstance(error, DeadlineExceeded)
        assert (error.run_id, error.run) == (emulator.runs[-1].id, None)
        assert "never read" in error.message


class TestToken:
    def test_async_callable(self, calls):
        async def never():
            await asyncio.sleep(1000)

        result = calls("run_get", calls.core(bearer=never), "r", LATE)
        if calls.awaited:
            late(result, "without a time limit of its own", fate="not_sent")
        else:
            assert str(result.failure()) == "bearer: an async callable is for the _async functions"

    def test_slow_callable(self, calls):
        def slow():
            threading.Event().wait(SHORT)
            return "key"

        result = calls("run_get", calls.core(bearer=slow), "r", LATE)
        assert "before the request was sent" in late(result, fate="not_sent").message

    def test_time_out_of_callable_itself(self, calls):
        async def failing():
            raise TimeoutError("of the vault")

        core = calls.core(bearer=failing)
        if calls.awaited:
            error = calls("run_get", core, "r", RequestOptions(deadline=60)).failure()
            assert error.message == "TimeoutError: of the vault"


def test_busy_event_loop_keeps_phase(calls, raw):
    server = raw(raw.HANG)
    core = calls.core(server.url)

    async def call():
        calling = asyncio.create_task(run_get_async(core, "r", RequestOptions(deadline=0.2)))
        while not server.requests:
            await asyncio.sleep(0)
        threading.Event().wait(0.4)  # the loop does not run when the deadline passes
        return await calling

    if calls.awaited:
        message = calls.run(call()).failure().message
        assert message.startswith("The deadline of 0.2 s passed while waiting for the response to GET ")


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), float("inf"), "1", True])
def test_wrong_deadline_is_named(calls, deadline):
    for name, argument in (("run_get", "r"), ("run_wait", "r"), ("run_queue_and_wait", ORDER)):
        error = calls(name, calls.core(), argument, RequestOptions(deadline=deadline)).failure()
        assert error.message.startswith("options.deadline: expected seconds above 0")


def test_deadline_that_is_not_reached(calls, emulator):
    core = calls.core(emulator.url, bearer=emulator.bearer)
    order = {"deployment_id": emulator.deployments["picture"]}
    assert isinstance(calls("run_queue", core, order, RequestOptions(deadline=60)), Success)
    assert not isinstance(calls("run_wait", core, emulator.runs[-1].id, RequestOptions(deadline=60)), Failure)
