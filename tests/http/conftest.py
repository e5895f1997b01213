"""A server with TLS, and the network backends, blocking and async."""

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from comfydeploy._http import http1
from comfydeploy._http.async_network import AsyncNetwork
from comfydeploy._http.h11_response import H11Response
from comfydeploy._http.network import Network
from comfydeploy._http.tls import shared_context

# Only for these tests: a key and a self-signed certificate of 127.0.0.1.
LOCALHOST = Path(__file__).parents[1] / "samples" / "localhost.pem"


def _responses():
    yield pytest.param(H11Response, id="h11")
    try:
        from comfydeploy._http.llhttp_response import LlhttpResponse
    except ImportError:
        yield pytest.param(None, id="llhttp", marks=pytest.mark.skip(reason="without the extra"))
    else:
        yield pytest.param(LlhttpResponse, id="llhttp")


@pytest.fixture(params=_responses())
def parser(request, monkeypatch):
    """Let each of the two parsers read the responses, and return its class."""
    monkeypatch.setattr(http1, "new_response", request.param)
    return request.param


@pytest.fixture
def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOCALHOST)
    return context


@pytest.fixture
def client_context():
    return ssl.create_default_context(cafile=LOCALHOST)


@pytest.fixture
def secure(monkeypatch, server_context):
    """Serve over TLS, with a certificate that this process trusts and no context yet."""
    monkeypatch.setenv("SSL_CERT_FILE", str(LOCALHOST))
    shared_context.cache_clear()
    context = server_context
    context.set_alpn_protocols(["http/1.1"])
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(listening, context), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    with suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)
    shared_context.cache_clear()


def serve(listening, context):
    body = b'{"id": "r", "status": "queued"}'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65536)
                secured.sendall(head % len(body) + body)


@pytest.fixture(params=["blocking", "awaited"])
def wire(request):
    made = Wire(awaited=request.param == "awaited")
    yield made
    made.finish()


class Wire:
    """A network, blocking or async, whose methods are called alike: ``wire(stream.read, 10)``."""

    def __init__(self, *, awaited):
        self.awaited = awaited
        self.runner = asyncio.Runner()
        self.network = AsyncNetwork() if awaited else Network()

    def __call__(self, method, *arguments):
        async def wait():
            return await method(*arguments)

        return self.runner.run(wait()) if self.awaited else method(*arguments)

    def connected(self, listening, timeout=5):
        """Return a stream and its other end."""
        stream = self(self.network.connect_tcp, *listening.getsockname()[:2], timeout)
        return stream, listening.accept()[0]

    def close(self, stream):
        self(stream.aclose if self.awaited else stream.close)

    def close_network(self):
        if self.awaited:
            self.runner.get_loop().call_soon_threadsafe(self.network.close)
        else:
            self.network.close()

    def finish(self):
        self.close_network()
        if self.awaited:
            self(asyncio.sleep, 0)
        self.runner.close()
