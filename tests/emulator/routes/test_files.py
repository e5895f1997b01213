import re
import socket

import httpx
import pytest

from comfydeploy._emulator import uploads
from comfydeploy.emulator import Emulator


@pytest.fixture
def upload(client):
    """Upload a file: upload("a.png", b"content")."""
    return lambda name, content=b"content", **more: client.post("/file/upload", files={"file": (name, content)}, **more)


def test_upload_answers_id_name_and_address(upload):
    found = upload("up.png").json()
    assert found["file_name"] == "up.png"
    assert re.fullmatch(r"img_[1-9A-Za-z]{16}", found["file_id"])
    assert found["file_url"].endswith(f"/inputs/{found['file_id']}.png")


def test_uploaded_file_needs_no_bearer(upload):
    content = bytes(range(256)) * 10
    answer = httpx.get(upload("up.webp", content).json()["file_url"])
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/webp", content)


def test_large_file_arrives_whole(upload):
    content = b"0123456789abcdef" * 200_000
    assert httpx.get(upload("big.bin", content).json()["file_url"]).content == content


def test_empty_file_is_file(upload):
    assert httpx.get(upload("empty.png", b"").json()["file_url"]).content == b""


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("a.png", "img"),
        ("a.JPG", "img"),
        ("a.webp", "img"),
        ("a.mp4", "vid"),
        ("a.mp3", "audio"),
        ("a.flac", "audio"),
        ("a.zip", "zip"),
        ("a.json", "file"),
        ("a.safetensors", "file"),
        ("blob", "file"),
    ],
)
def test_name_decides_kind_of_id(upload, name, prefix):
    assert upload(name).json()["file_id"].startswith(f"{prefix}_")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.glb", "a.gltf", "a.obj", "a.stl", "a.html", "a.txt.gz"])
def test_type_that_is_not_taken_is_refused(upload, name):
    answer = upload(name)
    assert (answer.status_code, answer.json()) == (400, {"detail": "Unsupported file type"})


def test_declared_type_is_ignored(client):
    assert client.post("/file/upload", files={"file": ("a.txt", b"x", "image/png")}).status_code == 400
    assert client.post("/file/upload", files={"file": ("a.png", b"x", "text/plain")}).status_code == 200


def test_file_that_is_too_large_is_refused(upload, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST", 100)
    assert upload("a.png", b"x" * 100).status_code == 200
    assert upload("a.png", b"x" * 101).status_code == 400
    monkeypatch.undo()
    assert uploads.LARGEST == 250 * 1024 * 1024


def test_no_file_is_422(client):
    for answer in (
        client.post("/file/upload", files={"other": ("a.png", b"x")}),
        client.post("/file/upload", json={"file": "a.png"}),
        client.post("/file/upload"),
    ):
        (found,) = answer.json()["detail"]
        assert (answer.status_code, found["type"], found["loc"]) == (422, "missing", ["body", "file"])


def test_text_in_place_of_file_is_422(client):
    answer = client.post("/file/upload", data={"file": "text"}, files={"other": ("a.png", b"x")})
    (found,) = answer.json()["detail"]
    assert (answer.status_code, found["type"], found["loc"]) == (422, "value_error", ["body", "file"])


@pytest.mark.parametrize("boundary", ["", "; boundary=x"])
def test_other_body_than_multipart_is_refused(client, boundary):
    answer = client.post(
        "/file/upload", content=b"nonsense", headers={"content-type": f"multipart/form-data{boundary}"}
    )
    assert answer.status_code == 400
    assert "detail" in answer.json()


@pytest.mark.parametrize(
    "name",
    ["../../a.png", "a/../../b.png", "..\\..\\a.png", "a.png/../../x", ".png", "a.p\x7fg", "a." + "x" * 300, "é.png"],
)
def test_no_name_leads_out_of_folder(tmp_path, connect, name):
    with Emulator(pace=0, data=tmp_path / "data") as emulator:
        found = connect(emulator).post("/file/upload", files={"file": (name, b"here")}).json()
        assert httpx.get(found["file_url"]).content == b"here"
    (kept,) = (tmp_path / "data" / "inputs").iterdir()
    assert kept.name == found["file_url"].rpartition("/")[2]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("name", ["../runs.sqlite", "..%2fruns.sqlite", "%2e%2e/runs.sqlite", "", "img_0", "%00"])
def test_no_other_file_can_be_fetched(emulator, name):
    address = httpx.URL(emulator.url)
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(f"GET /inputs/{name} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404")


def test_uploads_survive_restart(tmp_path, connect):
    with Emulator(pace=0, data=tmp_path) as emulator:
        url = connect(emulator).post("/file/upload", files={"file": ("a.png", b"kept")}).json()["file_url"]
    with Emulator(pace=0, data=tmp_path) as emulator:
        again = httpx.URL(url).copy_with(port=httpx.URL(emulator.url).port)
        assert httpx.get(again).content == b"kept"


def test_aborted_upload_does_no_harm(emulator, caplog):
    address = httpx.URL(emulator.url)
    head = (
        f"POST /api/file/upload HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {emulator.bearer}\r\n"
        "content-type: multipart/form-data; boundary=x\r\ncontent-length: 9999999\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    )
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(head.encode() + b"x" * 2_000_000)
    assert httpx.get(emulator.url).status_code == 401
    assert not caplog.records


@pytest.fixture
def addresses(client, order):
    """The addresses of an output and of an uploaded file."""
    (output,) = client.post("/run/sync", json=order(inputs={"width": 16})).json()
    uploaded = client.post("/file/upload", files={"file": ("a.png", b"x")}).json()
    return [output["data"]["images"][0]["url"], uploaded["file_url"]]


def test_files_answer_head(addresses):
    for address in addresses:
        whole, head = httpx.get(address), httpx.head(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.content))


def test_unchanged_files_are_not_modified(addresses):
    for address in addresses:
        etag = httpx.get(address).headers["etag"]
        for known, status in ((etag, 304), (f'"x", W/{etag}', 304), ("*", 304), ('"x"', 200)):
            answer = httpx.get(address, headers={"if-none-match": known})
            assert (answer.status_code, answer.headers["etag"]) == (status, etag)
