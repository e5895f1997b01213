"""Hostile input over raw sockets: the server answers or refuses, and stays up."""

import itertools
import socket
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from comfydeploy.emulator import Emulator

MB = 1024 * 1024
SECRET = b"must not be read"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.txt").write_bytes(SECRET)
    return folder


@pytest.fixture(scope="module")
def emulator(folder):
    with Emulator(pace=0, data=folder / "data") as emulator:
        yield emulator


@pytest.fixture
def connect(emulator):
    """Open connections, which are closed at the end."""
    address = httpx.URL(emulator.url)
    with ExitStack() as exits:
        yield lambda: exits.enter_context(socket.create_connection((address.host, address.port), timeout=10))


@pytest.fixture(autouse=True)
def still_up(emulator):
    """Check after each test that a run still succeeds."""
    yield
    body = {"deployment_id": emulator.deployments["picture"], "inputs": {"width": 16}}
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    assert httpx.post(f"{emulator.url}/run/sync", json=body, headers=headers, timeout=30).status_code == 200


def exchange(connection, *sent):
    """Send as much as the server reads; return all that it sends before it closes or waits for more."""
    answer = b""
    with suppress(ConnectionError, TimeoutError):
        for data in sent:
            connection.sendall(data)
    connection.settimeout(10 if b"connection: close" in sent[0] else 0.1)
    with suppress(ConnectionError, TimeoutError):
        while data := connection.recv(65536):
            answer += data
    return answer


def head(emulator, method, path, *lines):
    always = (f"{method} {path} HTTP/1.1", "host: localhost", f"authorization: Bearer {emulator.bearer}")
    return ("\r\n".join([*always, "connection: close", *lines]) + "\r\n\r\n").encode("latin-1")


def status(answer):
    return int(answer.split(None, 2)[1]) if answer else None


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n" * 1000,
        b"\x00" * 100_000,
        b"\xff\xfe\xfd\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,  # TLS on a plain port
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n",
        b"GET  /  HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\n folded: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nna me: y\r\n\r\n",
        b"GET / HTTP/1.1\nhost: localhost\n\n",
        b"GET /\x00\x01 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET /ü HTTP/1.1\r\nhost: localhost\r\n\r\n".encode(),
        b"GET http://[::1 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\r\n",
    ],
)
def test_malformed_http_does_no_harm(connect, sent):
    assert status(exchange(connect(), sent)) in {200, 400, 401, 403, 404, 405, None}


@pytest.mark.parametrize("kind", ["many", "long", "endless", "target"])
def test_flood_of_headers_is_cut_off(connect, kind):
    start = b"GET / HTTP/1.1\r\nhost: localhost\r\n"
    floods = {
        "many": (start, *(b"x-%d: y\r\n" % number for number in range(100_000))),
        "long": (start, b"x: " + b"y" * (10 * MB), b"\r\n\r\n"),
        "endless": (start, b"x-endless: ", *itertools.repeat(b"y" * MB, 20)),
        "target": (b"GET /" + b"y" * (10 * MB) + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",),
    }
    assert status(exchange(connect(), *floods[kind])) in {400, None}


class TestALargeBody:
    @pytest.fixture(autouse=True)
    def memory(self):
        """Check that the peak memory of the process grows by a bounded amount."""
        before = peak_memory(reset=True)
        yield
        assert peak_memory() - before < 150 * MB

    @pytest.mark.parametrize("path", ["/api/run/queue", "/api/run", "/api/session", "/_emulator/faults"])
    @pytest.mark.parametrize("framing", ["content-length: 104857600", "transfer-encoding: chunked"])
    @pytest.mark.parametrize("faulty", [False, True])
    def test_of_json_is_refused(self, emulator, connect, path, framing, faulty):
        if faulty:
            emulator.fail("run_batch", status=503)
        try:
            chunked = "chunked" in framing
            body = itertools.repeat(b"100000\r\n" + b" " * MB + b"\r\n" if chunked else b" " * MB, 100)
            answer = exchange(connect(), head(emulator, "POST", path, framing), *body)
            assert status(answer) == 413
        finally:
            emulator.clear_faults()

    def test_without_key_is_not_kept(self, emulator, connect):
        start = b"POST /api/run/queue HTTP/1.1\r\nconnection: close\r\nhost: [::1]\r\ncontent-length: 104857600\r\n\r\n"
        assert status(exchange(connect(), start, *itertools.repeat(b" " * MB, 100))) == 401

    def test_in_form_goes_to_disk(self, emulator, connect):
        part = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        end = b"\r\n--b--\r\n"
        lines = (f"content-length: {100 * MB + len(part) + len(end)}", "content-type: multipart/form-data; boundary=b")
        sent = (head(emulator, "POST", "/api/file/upload", *lines), part, *itertools.repeat(b"x" * MB, 100), end)
        assert status(exchange(connect(), *sent)) == 200
        assert emulator.requests[-1].body["file"].size == 100 * MB

    def test_is_not_kept_for_fault_either(self, emulator, connect):
        emulator.fail("run_queue", status=503)
        start = head(emulator, "POST", "/api/run/queue", "content-length: 104857600")
        try:
            assert status(exchange(connect(), start, *itertools.repeat(b" " * MB, 100))) in {413, 503}
        finally:
            emulator.clear_faults()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b""),
        (f"multipart/form-data; boundary={'b' * 500}", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n" * 10_000),
        ("multipart/form-data; boundary=b", b"--b\r\nno header\r\n\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"a: b\r\n" * 100_000),
        ("multipart/form-data; boundary=b", b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n' + b"y" * 5 * MB),
        ("multipart/form-data; boundary=b", b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n1\r\n' * 2000),
        ("application/json", b"[" * 1_000_000),
        ("application/json", b'{"file":"' + b"\\ud800" * 1000),
    ],
)
@pytest.mark.parametrize("path", ["/api/file/upload", "/api/run/queue"])
def test_hostile_body_is_senders_mistake(emulator, connect, path, content_type, body):
    lines = (f"content-length: {len(body)}", f"content-type: {content_type}")
    assert status(exchange(connect(), head(emulator, "POST", path, *lines), body)) in {400, 422}


@pytest.mark.parametrize("start", ["/inputs/", "/outputs/runs/", "/outputs/runs/x/", "/"])
@pytest.mark.parametrize(
    "trick",
    [
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/%2e%2e/secret.txt",
        "..%2f..%2f..%2fsecret.txt",
        "..%5c..%5csecret.txt",
        "....//....//secret.txt",
        "%252e%252e%252fsecret.txt",
        "%00/../secret.txt",
        "%c0%ae%c0%ae/secret.txt",
        "{folder}/secret.txt",
        "/etc/passwd",
        "file://{folder}/secret.txt",
        "runs.sqlite",
        "../runs.sqlite",
        "",
        ".",
    ],
)
def test_no_path_leads_out_of_data_folder(emulator, connect, folder, start, trick):
    path = start + trick.replace("{folder}", str(folder))
    answer = exchange(connect(), head(emulator, "GET", path))
    assert SECRET not in answer
    assert b"root:" not in answer
    assert b"SQLite" not in answer
    assert status(answer) in {307, 400, 404} or path in {"/", "/."}


@pytest.mark.parametrize(
    "name", ["../../secret.png", "/etc/x.png", "..\\x.png", "a\x00.png", "x" * 5000 + ".png", ".png"]
)
def test_no_name_of_file_leads_out_of_data_folder(emulator, folder, name):
    before = sorted(path for path in folder.rglob("*") if (folder / "data") not in path.parents)
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    answer = httpx.post(f"{emulator.url}/file/upload", files={"file": (name, b"x")}, headers=headers)
    assert answer.status_code in {200, 400}
    assert sorted(path for path in folder.rglob("*") if (folder / "data") not in path.parents) == before


def test_incomplete_requests_do_not_block(emulator, connect):
    for _ in range(200):
        connect().sendall(b"POST /api/run/queue HTTP/1.1\r\nhost: localhost\r\n")
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    assert httpx.get(f"{emulator.url}/deployments", headers=headers).status_code == 200


def test_open_streams_do_not_block(emulator):
    with Emulator(pace=100_000) as standing, ExitStack() as exits:
        address = httpx.URL(standing.url)
        body = b'{"deployment_id":"%s"}' % standing.deployments["picture"].encode()
        request = head(standing, "POST", "/api/run/stream", f"content-length: {len(body)}") + body
        streams = [exits.enter_context(socket.create_connection((address.host, address.port))) for _ in range(200)]
        for stream in streams:
            stream.sendall(request)
        assert all(stream.recv(15) == b"HTTP/1.1 200 OK" for stream in streams)
        assert standing.open_streams == 200
        headers = {"authorization": f"Bearer {standing.bearer}"}
        assert httpx.get(f"{standing.url}/deployments", headers=headers).status_code == 200


def test_thousand_pipelined_requests(emulator, connect):
    one = (
        f"GET /api/deployments HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {emulator.bearer}\r\n\r\n".encode()
    )
    answer = exchange(connect(), one * 999 + head(emulator, "GET", "/api/deployments"))
    assert answer.count(b"HTTP/1.1 200 OK") == 1000


def test_only_this_computer_reaches_it_by_default(emulator):
    port = httpx.URL(emulator.url).port
    assert httpx.URL(emulator.url).host == "127.0.0.1"
    others = {one[4][0] for one in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in others:
        if not address.startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((address, port), timeout=1)


def peak_memory(*, reset=False):
    """Return the peak memory of this process in bytes, where the system reports it."""
    if sys.platform != "linux":
        return 0
    if reset:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
