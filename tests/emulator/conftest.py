import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from comfydeploy.emulator import Emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """A server that never waits."""
    with Emulator(pace=0) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def standing() -> Iterator[Emulator]:
    """A server so slow that time stands still within a test."""
    with Emulator(pace=100_000) as emulator:
        yield emulator


@pytest.fixture
def by_hand() -> Iterator[Emulator]:
    """A server with a manual clock."""
    with Emulator(clock="manual") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def connect() -> Iterator[Callable[[Emulator], httpx.Client]]:
    clients: list[httpx.Client] = []

    def open_client(emulator: Emulator) -> httpx.Client:
        clients.append(
            httpx.Client(base_url=emulator.url, headers={"authorization": f"Bearer {emulator.bearer}"}, timeout=10)
        )
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def client(connect, emulator) -> httpx.Client:
    return connect(emulator)


@pytest.fixture
def order(emulator) -> Callable[..., dict[str, Any]]:
    """Create the body that runs a known deployment: order("picture", inputs={...})."""
    return lambda name="picture", **fields: {"deployment_id": emulator.deployments[name], **fields}


@pytest.fixture
def ended(client) -> Callable[[str], dict[str, Any]]:
    """Poll a run until it has ended."""

    def ask(run_id: str) -> dict[str, Any]:
        while True:
            run = client.get(f"/run/{run_id}").json()
            if run["status"] in {"success", "failed", "timeout", "cancelled"}:
                return run

    return ask


class Sink:
    """A receiver of webhooks that answers with the given statuses, then 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.received: queue.Queue[tuple[str, dict[str, str], dict[str, Any]]] = queue.Queue()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                # Before the response: the next delivery, in another thread, must not overtake this one.
                sink.received.put((self.command, dict(self.headers), json.loads(body)))
                self.send_response(sink.answers.pop(0) if sink.answers else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def next(self) -> dict[str, Any]:
        return self.received.get(timeout=5)[2]

    def until_end(self) -> list[dict[str, Any]]:
        bodies = [self.next()]
        while bodies[-1]["status"] not in {"success", "failed"}:
            bodies.append(self.next())
        return bodies


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    thread = threading.Thread(target=sink.server.serve_forever, args=(0.01,))
    thread.start()
    yield sink
    sink.server.shutdown()
    thread.join()
    sink.server.server_close()
