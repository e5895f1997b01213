"""Servers are verified although the certificates of the authorities are read late, and not where nothing needs them."""

import ssl

from comfydeploy import errors
from comfydeploy._http.tls import LateContext, shared_context


def test_a_server_that_an_authority_vouches_for_is_trusted(calls, secure):
    core = calls.core(secure)
    for _ in range(2):  # the second finds the context made
        assert calls("run_get", core, "r").unwrap().id == "r"


def test_a_server_that_nobody_vouches_for_is_refused(calls, secure, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
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
