"""Servers are verified although the certificates of the authorities are read late, and not where nothing needs them."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from comfydeploy import errors
from comfydeploy._http.tls import LateContext, shared_context

# Made for these tests, and good for nothing else: the key and the certificate of 127.0.0.1, signed by itself.
LOCALHOST = Path(__file__).parents[1] / "samples" / "localhost.pem"


@pytest.fixture
def secure(monkeypatch):
    """Give the address of a server that speaks TLS, to a process that has made no context yet."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    shared_context.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOCALHOST)
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


def test_a_server_that_an_authority_vouches_for_is_trusted(calls, secure, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(LOCALHOST))
    core = calls.core(secure)
    for _ in range(2):  # the second finds the context made
        assert calls("run_get", core, "r").unwrap().id == "r"


def test_a_server_that_nobody_vouches_for_is_refused(calls, secure):
    error = calls("run_get", calls.core(secure), "r").failure()
    assert isinstance(error, errors.ConnectionError)
    assert error.fate == "not_sent"
    assert "certificate" in str(error).lower()


def test_a_server_without_tls_needs_no_certificates(calls, raw, answer):
    shared_context.cache_clear()
    server = raw(answer(200, b'{"id": "r", "status": "queued"}'))
    assert calls("run_get", calls.core(server.url), "r").unwrap().id == "r"
    assert shared_context()._made is None


def test_the_shell_itself_trusts_nobody():
    shell = LateContext()
    assert (shell.verify_mode, shell.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert shell.get_ca_certs() == []
