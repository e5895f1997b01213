"""The server without a port, reached through memory."""

import asyncio
import gc
import os
import socket
import threading
import time

import httpx
import pytest

from comfydeploy import ComfyDeployCore, Failure, RequestOptions, Success, errors
from comfydeploy._emulator.serving import transports
from comfydeploy.emulator import Emulator


@pytest.fixture(scope="module")
def emulator():
    with Emulator(port=None, pace=0) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def standing():
    with Emulator(port=None, pace=100_000) as emulator:
        yield emulator


@pytest.fixture
def connected(calls):
    """Create a core, blocking or async as the test: ``connected(emulator)``."""

    def connect(emulator, **settings):
        ways = {"transport": emulator.transport, "async_transport": emulator.async_transport}
        if not calls.awaited:
            del ways["async_transport"]
        core = ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url, **ways, **settings)
        calls._cores.append(core)
        return core

    return connect


@pytest.fixture
def order(emulator):
    return lambda **inputs: {"deployment_id": emulator.deployments["picture"], "inputs": inputs}


@pytest.fixture
def until(calls):
    """Wait for a condition that another thread will fulfil, without blocking the event loop: ``until(lambda: ...)``."""

    def wait(condition):
        late = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < late
            calls.run(asyncio.sleep(0))

    return wait


class TestWithoutAPort:
    def test_no_socket_is_opened(self, monkeypatch):
        def refuse(*_, **__):
            raise AssertionError("a socket")

        monkeypatch.setattr(socket.socket, "bind", refuse)
        monkeypatch.setattr(socket.socket, "connect", refuse)
        with Emulator(port=None) as emulator, httpx.Client(transport=emulator.transport) as client:
            assert emulator.url == "http://emulator/api"
            assert client.get(f"{emulator.url}/deployments").status_code == 401

    def test_transport_reads_all_addresses(self, emulator, order):
        headers = {"authorization": f"Bearer {emulator.bearer}"}
        with httpx.Client(transport=emulator.transport, base_url=emulator.url, headers=headers) as client:
            (output,) = client.post("/run/sync", json=order(width=16)).json()
            address = output["data"]["images"][0]["url"]
            assert address.startswith("http://emulator/outputs/")
            assert client.get(address).content.startswith(b"\x89PNG")

    def test_there_is_transport_only_while_it_runs(self):
        emulator = Emulator(port=None)
        with pytest.raises(RuntimeError, match="not been started"):
            _ = emulator.transport
        with emulator:
            transport = emulator.transport
        with httpx.Client(transport=transport) as client, pytest.raises(httpx.ConnectError, match="refused"):
            client.get("http://emulator/api")

    def test_server_can_be_restarted(self):
        emulator = Emulator(port=None)
        for _ in range(2):
            with emulator, httpx.Client(transport=emulator.transport) as client:
                assert client.get(emulator.url).status_code == 401


class TestWithAPort:
    def test_transports_see_same_runs(self):
        with Emulator(pace=0) as emulator:
            headers = {"authorization": f"Bearer {emulator.bearer}"}
            body = {"deployment_id": emulator.deployments["picture"]}
            with httpx.Client(transport=emulator.transport, headers=headers) as memory, httpx.Client() as sockets:
                run_id = memory.post(f"{emulator.url}/run/queue", json=body).json()["run_id"]
                assert sockets.get(f"{emulator.url}/run/{run_id}", headers=headers).status_code == 200


class TestCalls:
    def test_queue_stream_and_read_runs(self, calls, connected, emulator, order):
        core = connected(emulator)
        run_id = calls("run_queue", core, order()).unwrap().run_id
        assert calls("run_get", core, run_id).unwrap().id == run_id
        stream = calls("run_stream", core, order()).unwrap()
        assert all(isinstance(item, Success) for item in calls.items(stream))
        assert calls("run_get", core, stream.run_id).unwrap().status == "success"

    def test_upload_files_of_any_size(self, calls, connected, emulator):
        size = 3_000_000
        uploaded = calls("file_upload", connected(emulator), b"x" * size, name="large.png").unwrap()
        with httpx.Client(transport=emulator.transport) as client:
            assert len(client.get(uploaded.file_url).content) == size

    def test_of_many_threads_do_not_meet(self, connected, calls, emulator, order):
        core = connected(emulator)
        if calls.awaited:

            async def many():
                from comfydeploy.funcs.run_queue import run_queue_async

                return await asyncio.gather(*(run_queue_async(core, order(seed=n)) for n in range(50)))

            results = calls.run(many())
        else:
            results = []
            threads = [
                threading.Thread(target=lambda: results.append(calls("run_queue", core, order()))) for _ in range(50)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len({result.unwrap().run_id for result in results}) == 50

    def test_are_refused_while_server_refuses(self, calls, connected, emulator, order):
        core = connected(emulator)
        with emulator.refuse():
            result = calls("run_queue", core, order())
        assert isinstance(result, Failure)
        assert isinstance(result.failure(), errors.ConnectionError)
        assert result.failure().fate == "not_sent"
        assert isinstance(calls("run_queue", core, order()), Success)

    def test_can_be_timed_out(self, calls, connected, emulator, order):
        emulator.fail("run_queue", hang=True, times=1)
        error = calls("run_queue", connected(emulator), order(), RequestOptions(timeout=0.02)).failure()
        assert isinstance(error, errors.RequestTimeoutError)
        assert error.fate == "unknown"


class TestStreams:
    @pytest.fixture
    def stream(self, calls, connected, standing):
        """A stream that has begun and never ends."""
        body = {"deployment_id": standing.deployments["picture"]}
        self.core = connected(standing)
        stream = calls("run_stream", self.core, body).unwrap()
        assert isinstance(calls.items(_first(stream, calls), 1)[0], Success)
        yield stream
        calls.close_stream(stream)

    def test_come_event_by_event(self, stream, standing):
        assert standing.open_streams == 1

    def test_end_on_server_as_soon_as_they_are_closed(self, calls, stream, standing, until):
        calls.close_stream(stream)
        until(lambda: standing.open_streams == 0)

    def test_end_on_server_with_core(self, calls, stream, standing, until):
        calls.close_core(self.core)
        until(lambda: standing.open_streams == 0)

    def test_end_on_server_when_loop_is_left(self, calls, connected, standing, until):
        body = {"deployment_id": standing.deployments["picture"]}
        calls.items(calls("run_stream", connected(standing), body).unwrap(), 1)
        gc.collect()
        until(lambda: standing.open_streams == 0)

    def test_end_on_server_when_dropped(self, standing, until):
        def leave_one():
            headers = {"authorization": f"Bearer {standing.bearer}"}
            body = {"deployment_id": standing.deployments["picture"]}
            request = httpx.Request("POST", f"{standing.url}/run/stream", json=body, headers=headers)
            answer = standing.transport.handle_request(request)
            until(lambda: standing.open_streams == 1)
            assert answer.status_code == 200

        leave_one()
        gc.collect()
        until(lambda: standing.open_streams == 0)

    def test_unread_bytes_are_limited(self, emulator):
        emulator.clear_faults()
        emulator.fail("run_queue", body=b"x" * 10_000_000, times=1)
        with (
            httpx.Client(transport=emulator.transport) as client,
            client.stream("POST", f"{emulator.url}/run/queue") as answer,
        ):
            assert sum(map(len, answer.iter_raw())) == 10_000_000


def test_stream_read_by_thread_can_be_closed(standing):
    body = {"deployment_id": standing.deployments["picture"]}
    with ComfyDeployCore(bearer=standing.bearer, server_url=standing.url, transport=standing.transport) as core:
        from comfydeploy.funcs.run_stream import run_stream

        stream = run_stream(core, body).unwrap()
        next(stream)
        ended = []
        reader = threading.Thread(target=lambda: ended.extend(stream))
        reader.start()
        stream.close()
        reader.join(5)
        assert not reader.is_alive()
        assert isinstance(ended[-1].failure(), errors.RequestAbortedError)


def test_async_transport_in_several_event_loops(emulator):
    transport = emulator.async_transport

    async def ask():
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.get(f"{emulator.url}/deployments")).status_code

    assert [asyncio.run(ask()) for _ in range(3)] == [401, 401, 401]


def test_cancelled_call_leaves_server(standing):
    async def main():
        headers = {"authorization": f"Bearer {standing.bearer}"}
        body = {"deployment_id": standing.deployments["picture"]}
        async with httpx.AsyncClient(transport=standing.async_transport, headers=headers) as client:
            call = asyncio.create_task(client.post(f"{standing.url}/run/sync", json=body, timeout=None))
            while not any(one.operation == "run_sync" for one in standing.requests):
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    standing.clear_requests()
    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forked_process_must_use_port(emulator):
    transport = emulator.transport
    if child := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        return
    try:
        transport.handle_request(httpx.Request("GET", emulator.url))
    except httpx.ConnectError as error:
        os._exit(0 if "another process" in str(error) else 2)
    finally:
        os._exit(1)


def _first(stream, calls):
    """Read one event without closing the stream, as a loop that is left would."""

    async def aiter_once():
        yield await anext(stream)

    return aiter_once() if calls.awaited else iter([next(stream)])


def test_errors_of_aliased_httpcore(monkeypatch):
    """The module that ``httpcore`` is an alias of decides, not its usual name."""

    class ReadError(Exception):
        __module__ = "httpcore2._exceptions"

    monkeypatch.setattr(transports.httpcore, "__name__", "httpcore2")
    with pytest.raises(httpx.ReadError, match="broken"), transports._raised_as_httpx():
        raise ReadError("broken")
