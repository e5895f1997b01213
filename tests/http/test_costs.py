"""What calls cost on real connections, in counts: system calls, turns of the event loop, Python calls and threads.

Each with h11 and with the parser of the extra ``speed``. The limits are those of today: raise one only
with a reason.
"""

import asyncio
import gc
import selectors
import sys
import threading

import httpx
import pytest

from comfydeploy import ComfyDeployCore
from comfydeploy._http.async_network import AsyncStream
from comfydeploy._http.network import SocketStream
from comfydeploy._wire import json_decoding
from comfydeploy.funcs.file_download import file_download
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue, run_queue_async
from comfydeploy.funcs.run_stream import run_stream

ORDER = {"deployment_id": "d", "inputs": {}}
RUN = b'{"id": "r", "run_id": "r", "status": "queued"}'
EVENT = b'event: event_update\ndata: {"event": "executing", "data": {"prompt_id": "r"}}\n\n'
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

pytestmark = pytest.mark.skipif(
    httpx.Client.__module__.startswith("httpx2"), reason="the limits are those of httpx and httpcore"
)


@pytest.fixture(autouse=True)
def _without_msgspec(monkeypatch):
    monkeypatch.setattr(json_decoding, "accept", json_decoding.scanned)


@pytest.fixture
def server(raw, answer):
    return raw(answer(200, RUN))


@pytest.fixture
def core(server):
    with ComfyDeployCore(bearer="k", server_url=server.url) as made:
        yield made


class Counts:
    """Counts the calls of methods."""

    def __init__(self, monkeypatch, kind, *names):
        for name in names:
            monkeypatch.setattr(kind, name, self.counted(name, getattr(kind, name)))
            setattr(self, name, 0)

    def counted(self, name, method):
        def call(*given, **named):
            setattr(self, name, getattr(self, name) + 1)
            return method(*given, **named)

        return call


def python_calls(work):
    """Return how many Python functions a function calls."""
    count = 0

    def note(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    gc.collect()
    gc.disable()
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


@pytest.mark.parametrize(
    "call", [lambda core: run_get(core, "r"), lambda core: run_queue(core, ORDER)], ids=["get", "queue"]
)
def test_call_is_one_write_and_one_read(core, parser, monkeypatch, call):
    call(core).unwrap()
    counts = Counts(monkeypatch, SocketStream, "write", "read")
    call(core).unwrap()
    assert (counts.write, counts.read) == (1, 1)


class Selector(selectors.DefaultSelector):
    turns = 0

    def select(self, timeout=None):
        self.turns += 1
        return super().select(timeout)


@pytest.mark.parametrize(
    "call", [lambda core: run_get_async(core, "r"), lambda core: run_queue_async(core, ORDER)], ids=["get", "queue"]
)
def test_awaited_call_is_few_turns_and_no_thread(server, parser, monkeypatch, call):
    selector = Selector()
    loop = asyncio.SelectorEventLoop(selector)

    async def many(count):
        for _ in range(count):
            (await call(core)).unwrap()
        return selector.turns

    async def counted():
        first = await many(1)
        counts = Counts(monkeypatch, AsyncStream, "write", "read")
        monkeypatch.setattr(loop, "run_in_executor", None)
        threads = threading.active_count()
        turns = await many(10) - first
        assert threading.active_count() == threads
        return turns, counts.read

    with (
        ComfyDeployCore(bearer="k", server_url=server.url) as core,
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        turns, reads = runner.run(counted())
        runner.run(core.aclose())
    assert reads == 10
    assert turns <= 30  # one to send, one to receive, and one where the response comes late


def test_call_costs_same_beside_many_connections(server, parser):
    with ComfyDeployCore(bearer="k", server_url=server.url) as core:
        run_get(core, "r").unwrap()
        alone = python_calls(lambda: run_get(core, "r"))
        client = core.connections.client(lasting=False)
        busy = [client.send(client.build_request("GET", f"{server.url}/run/r"), stream=True) for _ in range(99)]
        for response in busy:
            response.read()
            response.close()
        assert python_calls(lambda: run_get(core, "r")) == alone


def chunked(*parts):
    return STREAM + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_event_of_stream_is_few_calls(raw, parser):
    counts = []
    for events in (1, 101):
        server = raw(chunked(*[EVENT] * events))
        with ComfyDeployCore(bearer="k", server_url=server.url) as core:
            list(run_stream(core, ORDER).unwrap())  # fills caches
            stream = run_stream(core, ORDER).unwrap()
            counts.append(python_calls(lambda stream=stream: list(stream)))
    # Each chunk is an event here. What has come together is one piece.
    assert (counts[1] - counts[0]) / 100 <= 8


def test_open_stream_is_few_objects(raw, parser):
    server = raw([STREAM + b"%x\r\n%b\r\n" % (len(EVENT), EVENT), raw.HANG])
    with ComfyDeployCore(bearer="k", server_url=server.url) as core:

        def opened():
            stream = run_stream(core, ORDER).unwrap()
            next(stream).unwrap()
            return stream

        streams = [opened()]
        gc.collect()
        before = sys.getallocatedblocks()
        streams += [opened() for _ in range(10)]
        gc.collect()
        blocks = (sys.getallocatedblocks() - before) / 10
        for stream in streams:
            stream.close()
    assert blocks <= 300


def test_file_is_written_in_large_parts(raw, parser, tmp_path, monkeypatch):
    body = bytes(4_000_000)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: %d\r\n\r\n" % len(body)
    server = raw(head + body)
    counts = Counts(monkeypatch, SocketStream, "read")
    with ComfyDeployCore(bearer="k", server_url=server.url) as core:
        path = file_download(core, f"{server.url}/a.png", to=tmp_path / "a.png").unwrap()
    assert path.stat().st_size == len(body)
    assert counts.read <= 4_000_000 / 8_000  # 64 KiB at most, and less where the server is slower than the client
