"""Servers are verified although the CA certificates are read late, and only if they are needed."""

import socket
import ssl
import threading
from urllib.parse import urlsplit

from comfydeploy import errors
from comfydeploy._http import tls
from comfydeploy._http.tls import LateContext, shared_context


def test_server_with_a_valid_certificate(calls, secure):
    core = calls.core(secure)
    for _ in range(2):  # the second uses the existing context
        assert calls("run_get", core, "r").unwrap().id == "r"


def test_server_with_an_unknown_certificate(calls, secure, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    error = calls("run_get", calls.core(secure), "r").failure()
    assert isinstance(error, errors.ConnectionError)
    assert error.fate == "not_sent"
    assert "certificate" in str(error).lower()


def wait_for_thread():
    """Wait for the thread that reads certificates."""
    for one in threading.enumerate():
        if one.name == "comfydeploy-certificates":
            one.join(10)


def test_certificates_are_read_in_a_thread(secure):
    assert secure
    context = shared_context()
    context.begin()
    wait_for_thread()
    made = context._made
    assert made.get_ca_certs()
    context.begin()  # nothing is left to read
    wait_for_thread()
    assert context._made is made


def test_handshake_over_a_socket(secure):
    address = urlsplit(secure)
    with socket.create_connection((address.hostname, address.port)) as plain:
        secured = shared_context().wrap_socket(plain, server_hostname=address.hostname)
        with secured:
            assert secured.getpeercert()["subject"]


def test_call_begins_to_read_certificates(calls, secure, monkeypatch):
    begun = []

    def begin(context):
        begun.append(context)

    monkeypatch.setattr(LateContext, "begin", begin)
    core = calls.core(secure)
    assert begun == []
    for _ in range(2):
        calls("run_get", core, "r").unwrap()
    assert begun == [shared_context()]


def test_threads_are_used_up(calls, secure, monkeypatch):
    class Refused(threading.Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(tls, "Thread", Refused)
    assert calls("run_get", calls.core(secure), "r").unwrap().id == "r"


def test_certificates_that_cannot_be_read(calls, secure, monkeypatch, tmp_path):
    missing = tmp_path / "missing.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(missing))
    error = calls("run_get", calls.core(secure), "r").failure()
    wait_for_thread()
    assert isinstance(error, errors.ConnectionError)
    assert error.fate == "not_sent"
    assert f"CA certificates: No such file or directory: SSL_CERT_FILE={missing}" in error.message


def test_server_without_tls_needs_no_certificates(calls, raw, answer):
    shared_context.cache_clear()
    server = raw(answer(200, b'{"id": "r", "status": "queued"}'))
    assert calls("run_get", calls.core(server.url), "r").unwrap().id == "r"
    assert shared_context()._made is None


def test_context_itself_has_no_certificates():
    shell = LateContext()
    assert (shell.verify_mode, shell.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert shell.get_ca_certs() == []
