"""Servers are verified although the CA certificates are read late, and only if they are needed."""

import ssl

from comfydeploy import errors
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


def test_server_without_tls_needs_no_certificates(calls, raw, answer):
    shared_context.cache_clear()
    server = raw(answer(200, b'{"id": "r", "status": "queued"}'))
    assert calls("run_get", calls.core(server.url), "r").unwrap().id == "r"
    assert shared_context()._made is None


def test_context_itself_has_no_certificates():
    shell = LateContext()
    assert (shell.verify_mode, shell.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert shell.get_ca_certs() == []
