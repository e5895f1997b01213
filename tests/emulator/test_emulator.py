import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from comfydeploy.emulator import Emulator

PROGRAM = """
from comfydeploy.emulator import Emulator
Emulator(pace=100000).serve_forever(lambda emulator: print(emulator.url, flush=True))
print("ended")
"""


def test_exports_are_documented():
    import comfydeploy.emulator

    assert all(getattr(comfydeploy.emulator, name).__doc__ for name in comfydeploy.emulator.__all__)


def test_address_is_known_while_it_is_served():
    emulator = Emulator()
    with pytest.raises(RuntimeError):
        _ = emulator.url
    with emulator:
        assert emulator.url.startswith("http://127.0.0.1:")
        assert emulator.url.endswith("/api")
        assert httpx.get(emulator.url).status_code == 401
        address = emulator.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_emulator_restarts_but_not_twice_at_once():
    emulator = Emulator()
    for _ in range(2):
        with emulator:
            assert httpx.get(emulator.url).status_code == 401
            with pytest.raises(RuntimeError):
                emulator.start()
    emulator.stop()


def test_port_in_use_is_error_at_once(emulator):
    port = httpx.URL(emulator.url).port
    threads = threading.active_count()
    with pytest.raises(OSError, match="in use"):
        Emulator(port=port).start()
    assert threading.active_count() == threads


def test_bearer_can_be_chosen():
    with Emulator(bearer="mine") as emulator:
        assert emulator.bearer == "mine"
        assert httpx.get(f"{emulator.url}/deployments", headers={"authorization": "Bearer mine"}).status_code == 200
    assert Emulator().bearer == "local-key"


def test_runs_are_snapshots(connect):
    with Emulator(clock="manual") as emulator:
        client = connect(emulator)
        for prompt in ("a cat", "a dog"):
            order = {"deployment_id": emulator.deployments["picture"], "inputs": {"prompt": prompt}}
            client.post("/run/queue", json=order)
        before = emulator.runs
        emulator.advance(60)
        after = emulator.runs
    assert [run.workflow_inputs["prompt"] for run in before] == ["a cat", "a dog"]
    assert [run.id for run in before] == [run.id for run in after]
    assert [run.status for run in (*before, *after)] == ["not-started"] * 2 + ["success"] * 2
    assert [file.filename for file in after[0].files] == ["cd_00001_.png"]
    with pytest.raises(RuntimeError, match="not been started"):
        _ = emulator.runs


def test_address_on_all_interfaces_is_reachable():
    with Emulator(host="0.0.0.0") as emulator:
        assert httpx.get(emulator.url).status_code == 401


def test_refusing_server_keeps_its_port():
    with Emulator(pace=0) as emulator, httpx.Client() as client:
        address = emulator.url
        assert client.get(address).status_code == 401
        with emulator.refuse():
            # The connection that was kept open cannot be used either.
            with pytest.raises(httpx.TransportError):
                client.get(address)
            with pytest.raises(httpx.ConnectError):
                client.get(address)
            with pytest.raises(OSError, match="in use"):
                Emulator(port=httpx.URL(address).port).start()
            with pytest.raises(RuntimeError, match="already"), emulator.refuse():
                pass
        assert emulator.url == address
        assert client.get(address).status_code == 401


def test_server_may_be_stopped_while_it_refuses():
    emulator = Emulator()
    emulator.start()
    with emulator.refuse():
        emulator.stop()
    with pytest.raises(RuntimeError, match="not been started"):
        emulator.refuse()


def test_stream_goes_on_while_refusing():
    with Emulator(pace=0.01) as emulator:
        body = {"deployment_id": emulator.deployments["slow"]}
        headers = {"authorization": f"Bearer {emulator.bearer}"}
        with httpx.stream("POST", f"{emulator.url}/run/stream", json=body, headers=headers) as answer:
            lines = answer.iter_lines()
            next(lines)
            with emulator.refuse():
                assert len(list(lines)) > 10


def test_stopping_ends_streams_and_waiting_calls():
    with Emulator(pace=100_000) as emulator:
        body = {"deployment_id": emulator.deployments["picture"]}
        headers = {"authorization": f"Bearer {emulator.bearer}"}
        with httpx.stream("POST", f"{emulator.url}/run/stream", json=body, headers=headers) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: event_update"
            emulator.stop()
            assert list(lines)[-1] == ""
        assert emulator.open_streams == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_server_with_open_stream(ending, emulator):
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        body = {"deployment_id": emulator.deployments["picture"]}
        headers = {"authorization": "Bearer local-key"}
        with httpx.stream("POST", f"{url}/run/stream", json=body, headers=headers) as answer:
            lines = answer.iter_lines()
            next(lines)
            process.send_signal(ending)
            assert process.stdout.read() == "ended\n"
        assert process.wait(5) == 0


def test_bytes_that_are_not_http_do_no_harm(emulator):
    address = httpx.URL(emulator.url)
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(b"\x00\xff garbage\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert httpx.get(emulator.url).status_code == 401


def test_aborted_request_does_no_harm(emulator, caplog):
    address = httpx.URL(emulator.url)
    head = (
        f"POST /api/run/queue HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {emulator.bearer}\r\ncontent-length: 99\r\n"
    )
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(f"{head}\r\n{{".encode())
    assert httpx.get(emulator.url).status_code == 401
    assert not caplog.records


def test_missing_extra_is_named(monkeypatch):
    import importlib
    import sys

    import comfydeploy.emulator

    monkeypatch.setitem(sys.modules, "comfydeploy._emulator.emulator", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install '\.\[emulator\]'"):
        importlib.reload(comfydeploy.emulator)
    monkeypatch.undo()
    importlib.reload(comfydeploy.emulator)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_port_that_cannot_be_is_refused(port):
    with pytest.raises(ValueError, match=f"port must be a number from 0 to 65535, not {port}"):
        Emulator(port=port).start()


def test_requests_during_a_stop():
    emulator, messages = Emulator(port=None, clock="manual"), []
    done = threading.Event()

    def ask():
        while not done.is_set():
            try:
                emulator.advance(0.01)
            except RuntimeError as error:
                messages.append(str(error))

    with ThreadPoolExecutor(2) as threads:
        asking = [threads.submit(ask) for _ in range(2)]
        for _ in range(20):
            emulator.start()
            emulator.stop()
        done.set()
        assert [one.exception(5) for one in asking] == [None, None]
    assert set(messages) <= {"The emulator has been stopped", "The emulator has not been started"}


def test_localhost_is_both_loopback_addresses():
    with Emulator(pace=0) as emulator:
        port = httpx.URL(emulator.url).port
        for host in ("127.0.0.1", "[::1]", "localhost"):
            assert httpx.get(f"http://{host}:{port}/api/nope").status_code == 401
        with emulator.refuse(), pytest.raises(httpx.ConnectError):
            httpx.get(f"http://[::1]:{port}/api/nope")
        assert httpx.get(f"http://[::1]:{port}/api/nope").status_code == 401


def test_listens_on_loopback_alone():
    with Emulator(pace=0) as emulator:
        port = httpx.URL(emulator.url).port
        with pytest.raises(OSError):  # noqa: PT011 - refused, or without an answer where only 127.0.0.1 exists
            socket.create_connection(("127.0.0.2", port), timeout=1)


def test_port_in_use_is_named():
    with Emulator() as emulator:
        port = httpx.URL(emulator.url).port
        with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1:{port}: the port is in use"):
            Emulator(port=port).start()
