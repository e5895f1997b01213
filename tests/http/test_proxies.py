"""The proxies of the environment: those that httpx would use, and errors with the name of the variable."""

import socket
import threading
from contextlib import suppress

import httpcore
import httpx
import pytest

from comfydeploy import RequestOptions, Success, errors
from comfydeploy._http import proxies
from comfydeploy._http.private_names import before_server
from comfydeploy._http.proxies import environment_proxies

RUN = b'{"id": "r", "status": "queued"}'


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Set variables in an environment without proxies."""
    for kind in ("http", "https", "all", "no"):
        for name in (f"{kind}_proxy", f"{kind}_PROXY".upper()):
            monkeypatch.delenv(name, raising=False)

    def setting(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return setting


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"http_proxy": "http://proxy:8080", "https_proxy": "proxy:8080"},
        {"all_proxy": "http://name:word@proxy", "no_proxy": "localhost, .example.org,::1 ,127.0.0.1,10.0.0.0/8,x.y"},
        {"all_proxy": "http://proxy", "no_proxy": "http://direct.example"},
        {"all_proxy": "http://proxy", "no_proxy": "example.org,*"},
    ],
)
def test_same_as_httpx(environment, variables):
    environment(**variables)
    with httpx.Client() as client:
        expected = {pattern.pattern: transport is not None for pattern, transport in client._mounts.items()}
    found = environment_proxies()
    assert {pattern: proxy is not None for pattern, proxy in found.items()} == expected


def test_credentials(environment):
    environment(http_proxy="http://name:word@proxy")
    assert (b"Proxy-Authorization", b"Basic bmFtZTp3b3Jk") in environment_proxies()["http://"].headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("all_proxy", "socks://127.0.0.1:1"),
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
        ("HTTP_PROXY", "http://[::1"),
        ("no_proxy", "[::1]"),
        ("NO_PROXY", "[::1]"),
    ],
)
def test_unusable_is_named(calls, environment, monkeypatch, name, value):
    monkeypatch.setattr(proxies, "find_spec", lambda _: None)
    environment(**{name: value})
    error = calls("run_get", calls.core("http://example.com/api"), "r").failure()
    assert isinstance(error, errors.InvalidRequestError)
    assert str(error).startswith(f"{name}: ")


@pytest.mark.parametrize("address", ["socks5://me:hunter2@proxy:1080", "http://me:a/hunter2@proxy:1", "me:hunter2@p:x"])
def test_unusable_is_named_without_its_password(calls, environment, monkeypatch, address):
    monkeypatch.setattr(proxies, "find_spec", lambda _: None)
    environment(all_proxy=address)
    error = calls("run_get", calls.core("http://example.com/api"), "r").failure()
    assert str(error).startswith("all_proxy: the proxy 'p")
    assert "hunter2" not in repr(error)
    assert "'a'" not in repr(error)


class Socks5Connection:
    """That of httpcore, which needs another package."""

    _connection = None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpcore.ReadError("reset"), httpcore.ProxyError),
        (ValueError("Malformed reply"), httpcore.ProxyError),
        (httpcore.ReadTimeout("late"), httpcore.ConnectTimeout),
        (httpcore.ConnectError("refused"), None),
        (MemoryError(), None),
        (KeyboardInterrupt(), None),
    ],
    ids=repr,
)
def test_nothing_is_sent_before_a_proxy_connects(error, expected):
    connection = Socks5Connection()
    found = before_server(error, connection)
    assert type(found) is (expected or type(None))
    connection._connection = object()
    assert before_server(error, connection) is None
    # A mock that answers in place of a connection has none either.
    assert before_server(error, httpcore.HTTPConnection(httpcore.Origin(b"http", b"host", 80))) is None


def test_http_goes_through_proxy(calls, raw, answer, environment):
    proxy, server = raw(answer(200, RUN)), raw(answer(200, RUN))
    environment(http_proxy=proxy.url, no_proxy="127.0.0.1")
    assert isinstance(calls("run_get", calls.core("http://example.com/api"), "r"), Success)
    assert proxy.requests[0][0] == "GET http://example.com/api/run/r HTTP/1.1"
    assert isinstance(calls("run_get", calls.core(server.url), "r"), Success)
    assert len(proxy.requests) == len(server.requests) == 1


def test_proxy_that_refuses(calls, raw, answer, environment):
    environment(https_proxy=raw(answer(407)).url)
    error = calls("run_get", calls.core("https://example.com/api"), "r").failure()
    assert (type(error), error.fate) == (errors.ConnectionError, "not_sent")
    assert "407" in str(error)


@pytest.mark.parametrize("ends", ["reset", "close", "hang", b"not HTTP\r\n\r\n"])
def test_proxy_that_breaks_off(calls, raw, environment, ends):
    """Nothing reaches the server before the proxy has connected to it."""
    environment(https_proxy=raw(ends).url)
    core, options = calls.core("https://example.com/api"), RequestOptions(timeout=0.2)
    error = calls("run_queue", core, {"deployment_id": "d"}, options).failure()
    late = ends == "hang"
    assert (type(error).__name__, error.fate) == ("RequestTimeoutError" if late else "ConnectionError", "not_sent")
    assert ("No connection to" if late else "through the proxy") in error.message


def test_tls_in_tls(calls, secure, environment, server_context):
    """An https proxy receives only the address; the connection through it is TLS too."""
    tunnels = []
    with tunnel(server_context, tunnels) as address:
        environment(https_proxy=address)
        for _ in range(2):
            assert calls("run_get", calls.core(secure), "r").unwrap().id == "r"
    assert tunnels[0].startswith(f"CONNECT {secure.removeprefix('https://')} HTTP/1.1")


class tunnel:
    """A proxy that is reached over TLS."""

    def __init__(self, context, heads):
        self.context, self.heads = context, heads
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.connections = []
        self.threads = [threading.Thread(target=self.accept, daemon=True)]

    def __enter__(self):
        self.threads[0].start()
        return f"https://127.0.0.1:{self.listening.getsockname()[1]}"

    def accept(self):
        with suppress(OSError):
            while True:
                near = self.context.wrap_socket(self.listening.accept()[0], server_side=True)
                head = near.recv(65_536).decode()
                self.heads.append(head)
                host, _, port = head.split()[1].rpartition(":")
                far = socket.create_connection((host, int(port)))
                self.connections += [near, far]
                near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                for ends in ((near, far), (far, near)):
                    self.threads.append(threading.Thread(target=self.relay, args=ends, daemon=True))
                    self.threads[-1].start()

    def relay(self, one, other):
        with suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)

    def __exit__(self, *_):
        for one in (self.listening, *self.connections):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self.threads:
            thread.join(5)
