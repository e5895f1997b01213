"""Streams that share one HTTP/2 connection, through a client of the caller."""

import asyncio
import socket
import threading
from contextlib import suppress

import httpx
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

from comfydeploy import ComfyDeployCore, unwrap
from comfydeploy.funcs.run_stream import run_stream, run_stream_async

ORDER = {"deployment_id": "d"}
EVENT = b'event: event_update\ndata: {"event": "%b"}\n\n'


@pytest.fixture
def server():
    running = Http2Server()
    yield running
    running.close()


class Http2Server:
    """Sends one event to each stream, and a further one to the second when ``goes_on`` is set."""

    def __init__(self):
        self.goes_on = threading.Event()
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                with connection:
                    self._serve(connection)

    def _serve(self, connection):
        http = H2Connection(H2Configuration(client_side=False))
        http.initiate_connection()
        connection.sendall(http.data_to_send())
        streams = []
        while len(streams) < 2:
            for event in http.receive_data(connection.recv(65536)):
                if isinstance(event, RequestReceived):
                    streams.append(event.stream_id)
                    http.send_headers(event.stream_id, [(":status", "200"), ("content-type", "text/event-stream")])
                    http.send_data(event.stream_id, EVENT % b"first")
            connection.sendall(http.data_to_send())
        self.goes_on.wait(5)
        http.send_data(streams[1], EVENT % b"second", end_stream=True)
        connection.sendall(http.data_to_send())
        while connection.recv(65536):
            pass

    def close(self):
        self.goes_on.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


def names(items):
    return [unwrap(item).data.event for item in items]


def test_leaving_stream_leaves_its_neighbours(server):
    with httpx.Client(http1=False, http2=True) as http:
        core = ComfyDeployCore(bearer="k", server_url=server.url, http_client=http)
        first, second = (unwrap(run_stream(core, ORDER)) for _ in range(2))
        assert names([next(first), next(second)]) == ["first", "first"]
        first.close()
        server.goes_on.set()
        assert names(second) == ["second"]
    assert server.connections == 1


def test_closed_stream_keeps_its_neighbours(server):
    async def leave():
        async with httpx.AsyncClient(http1=False, http2=True) as http:
            core = ComfyDeployCore(bearer="k", server_url=server.url, async_http_client=http)
            first, second = [unwrap(await run_stream_async(core, ORDER)) for _ in range(2)]
            assert names([await anext(first), await anext(second)]) == ["first", "first"]
            await first.aclose()
            server.goes_on.set()
            assert names([item async for item in second]) == ["second"]

    asyncio.run(leave())
    assert server.connections == 1
