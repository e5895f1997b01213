"""The findings of the doctor."""

import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from comfydeploy._cli.diagnosis import (
    clock_finding,
    drift_finding,
    key_finding,
    proxies_finding,
    tls_finding,
    unknown_fields,
)
from comfydeploy._http.tls import shared_context
from comfydeploy.emulator import Emulator
from comfydeploy.models.deployment import DeploymentInput, DeploymentModel
from comfydeploy.models.run import WorkflowRunModel

LOCALHOST = Path(__file__).parents[1] / "samples" / "localhost.pem"  # a key and a certificate, only for tests
NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
DATE = "Thu, 26 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("key", "level"), [(None, "problem"), ("", "problem"), ("a b", "problem"), ("ä", "problem"), ("abc", "ok")]
)
def test_key(key, level):
    assert key_finding(key).level == level


@pytest.mark.parametrize(
    ("date", "off", "level", "text"),
    [
        (DATE, 0, "ok", "give or take"),
        (DATE, 4, "ok", "give or take"),
        (DATE, 61, "note", "60 s ahead of"),
        (DATE, -60, "note", "58 s behind"),
        (DATE, 3601, "problem", "3600 s ahead of"),
        (None, 0, "note", "no readable date"),
    ],
)
def test_clock(date, off, level, text):
    moment = NOW + timedelta(seconds=off)
    found = clock_finding(date, moment, moment + timedelta(seconds=2))
    assert (found.level, text in found.text) == (level, True)


@pytest.mark.parametrize(
    ("expires", "level", "text"),
    [
        ("Jan 31 12:00:00 2027 GMT", "ok", "TLSv1.3, certificate valid for 66 days"),
        ("Dec  1 12:00:00 2026 GMT", "note", "valid for 5 days"),
        ("", "ok", "TLSv1.3"),
    ],
)
def test_tls(expires, level, text):
    found = tls_finding("TLSv1.3", expires, NOW)
    assert (found.level, text in found.text) == (level, True)


def test_proxies():
    assert proxies_finding({}).text == "none"
    assert proxies_finding({"https://": "http://h:3128", "all://localhost": None}).text == (
        "https:// by http://h:3128, all://localhost by none"
    )


def test_drift():
    known = DeploymentInput(input_id="a", raw={"input_id": "a", "is_new": 1})
    deployment = DeploymentModel(id="d", environment="lab", input_types=[known], raw={"id": "d", "price": 3})
    assert sorted(unknown_fields(deployment)) == ["DeploymentModel.input_types.is_new", "DeploymentModel.price"]
    found = drift_finding([deployment, WorkflowRunModel(id="r", status="paused")])
    assert found.level == "note"
    assert "DeploymentModel.price, the environment 'lab', the status 'paused'" in found.text


def levels(done):
    return {one["name"]: one["level"] for one in done.result["data"]["findings"]}


def test_local_server(server_with_runs, shell):
    done = shell(server_with_runs, "doctor", "--json")
    assert done.code == 0
    names = ("versions", "key", "server", "proxies", "reach", "clock", "api", "drift")
    assert levels(done) == dict.fromkeys(names, "ok")


@pytest.fixture
def server_with_runs(shell, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Emulator(pace=0) as server:
        shell(server, "run", "picture")
        yield server
        # The server accepts in order: no connection of the doctor is left that it has not accepted when it stops.
        shell(server, "deployments")


@pytest.mark.parametrize(
    ("key", "url", "problem"),
    [
        ("wrong-key", None, "api"),
        ("local-key", "http://127.0.0.1:1/api", "reach"),
        ("local-key", "ftp://x", "server"),
        ("", None, "key"),
    ],
)
def test_problem_is_named(server_with_runs, shell, key, url, problem):
    class Server:
        bearer = key

    Server.url = url or server_with_runs.url
    done = shell(Server, "doctor", "--json")
    assert done.code == 1
    assert levels(done)[problem] == "problem"
    assert f"PROBLEM {problem}" in shell(Server, "doctor").out


def test_proxy_that_cannot_be_used(server_with_runs, shell, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "gopher://user:word@h")
    done = shell(server_with_runs, "doctor", "--json")
    assert levels(done)["proxies"] == "problem"
    assert "word" not in done.out


@pytest.fixture
def secured(monkeypatch):
    """Serve over TLS with a certificate that this process trusts, and end each connection after the handshake."""
    monkeypatch.setenv("SSL_CERT_FILE", str(LOCALHOST))
    shared_context.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOCALHOST)

    def serve():
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with suppress(OSError), connection, context.wrap_socket(connection, server_side=True):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()
    shared_context.cache_clear()


def test_server_over_tls(shell, secured):
    class Server:
        bearer, url = "key", secured

    found = levels(shell(Server, "doctor", "--json"))
    assert (found["reach"], found["tls"], found["api"]) == ("ok", "ok", "problem")
