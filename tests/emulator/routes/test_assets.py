import httpx
import pytest

from comfydeploy._emulator import assets
from comfydeploy.emulator import Emulator


@pytest.fixture
def own():
    """A client of a server of its own."""
    with Emulator(port=None, pace=0) as emulator, client_of(emulator) as client:
        yield client


def client_of(emulator):
    return httpx.Client(
        transport=emulator.transport, base_url=emulator.url, headers={"authorization": f"Bearer {emulator.bearer}"}
    )


def signed(client, name="cat.png", kind="image/png", **more):
    answer = client.get("/assets/presigned-url", params={"file_name": name, "type": kind, **more})
    assert answer.status_code == 200
    return answer.json()


def put(client, address, content=b"cat", kind="image/png"):
    return client.put(address, content=content, headers={"content-type": kind})


def stored(client, name="cat.png", kind="image/png", **more):
    target = signed(client, name, kind, **more)
    assert put(client, target["url"], kind=kind).status_code == 200
    body = {"file_id": target["file_id"], "file_name": name, "file_size": 3, "db_path": target["db_path"]}
    return client.post("/assets/register", json={**body, "url": target["download_url"], "mime_type": kind})


def names(client, path="/"):
    return [one["name"] for one in client.get("/assets", params={"path": path}).json()]


def test_file_is_stored_registered_and_read(own):
    asset = stored(own, parent_path="/pictures").json()
    assert asset["path"] == f"pictures/{asset['id']}.png"
    assert own.get(asset["url"]).content == b"cat"
    assert own.get(f"/assets/{asset['id']}").json() == asset
    assert (names(own, "pictures"), names(own)) == (["cat.png"], [])


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"), "image/png"),
        (lambda url: url.partition("?")[0], "image/png"),
        (lambda url: url.replace("/assets/img_", "/assets/vid_"), "image/png"),
        (lambda url: url, "text/html"),
    ],
)
def test_only_signed_file_is_stored(own, change, kind):
    target = signed(own)
    answer = put(own, change(target["url"]), kind=kind)
    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)
    assert own.get(target["download_url"]).status_code == 404


def test_signature_ends_after_an_hour():
    with Emulator(port=None, clock="manual") as emulator, client_of(emulator) as client:
        target = signed(client)
        emulator.advance(3601)
        assert put(client, target["url"]).status_code == 403


def test_many_signatures_take_no_more_memory(own, monkeypatch):
    monkeypatch.setattr(assets, "_MOST_EXPECTED", 2)
    first, *_, last = [signed(own) for _ in range(3)]
    assert put(own, first["url"]).status_code == 403
    assert put(own, last["url"]).status_code == 200


def test_too_large_file_leaves_nothing(tmp_path, monkeypatch):
    from comfydeploy._emulator.web import limits

    monkeypatch.setattr(limits, "MOST_FORM", 2_000_000)
    with Emulator(port=None, pace=0, data=tmp_path) as emulator, client_of(emulator) as client:
        target = signed(client)
        assert put(client, target["url"], content=bytes(2_000_001)).status_code == 413
        assert [*(tmp_path / "assets").iterdir()] == []
        assert put(client, target["url"], content=bytes(1_500_000)).status_code == 200


@pytest.mark.parametrize("name", ["../../cat.png", "a/../../cat.png", "..\\cat.png", ".png", "a." + "x" * 300, "é.png"])
def test_no_name_leads_out_of_folder(tmp_path, name):
    with Emulator(port=None, pace=0, data=tmp_path / "data") as emulator, client_of(emulator) as client:
        asset = stored(client, name, parent_path="../../..").json()
        assert (asset["name"], client.get(asset["url"]).content) == (name, b"cat")
        assert [one.name for one in (tmp_path / "data" / "assets").iterdir()] == [asset["url"].rpartition("/")[2]]
    assert [one.name for one in tmp_path.iterdir()] == ["data"]


def test_address_elsewhere_is_kept(own):
    body = {"file_id": "img_own", "file_name": "a.png", "file_size": 1, "db_path": "a.png", "mime_type": "image/png"}
    address = "https://files.example.com/a.png"
    assert own.post("/assets/register", json={**body, "url": address}).json()["url"] == address
    assert own.post("/assets/register", json={**body, "url": address}).status_code == 500


def test_folder_is_listed_without_folders_below(own):
    for name, parent in (("a", "/"), ("b", "a"), ("c", "/a/b/")):
        assert own.post("/assets/folder", json={"name": name, "parent_path": parent}).status_code == 200
    assert (names(own), names(own, "a"), names(own, "a/b/"), names(own, "nowhere")) == (["a"], ["b"], ["c"], [])
    answer = own.post("/assets/folder", json={"name": "b", "parent_path": "a"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Folder already exists"})


def test_deleted_folder_takes_its_files_along(own):
    folder = own.post("/assets/folder", json={"name": "a"}).json()
    inside, beside = stored(own, parent_path="a").json(), stored(own, parent_path="ab").json()
    assert own.delete(f"/assets/{folder['id']}").json() == {"message": "Asset deleted successfully"}
    assert [own.get(f"/assets/{one['id']}").status_code for one in (folder, inside, beside)] == [404, 404, 200]
    assert [own.get(one["url"]).status_code for one in (inside, beside)] == [404, 200]
    assert own.delete(f"/assets/{folder['id']}").status_code == 404


def test_form_takes_file_too(own):
    answer = own.post("/assets/upload", params={"parent_path": "/a"}, files={"file": ("a.png", b"cat")})
    assert (answer.json()["name"], answer.json()["file_size"], names(own, "a")) == ("a.png", 3, ["a.png"])
    assert own.post("/assets/upload", files={"file": ("a.txt", b"x")}).status_code == 400


@pytest.mark.parametrize("missing", ["file_name", "type"])
def test_signature_needs_name_and_type(own, missing):
    given = {"file_name": "a.png", "type": "image/png"}
    del given[missing]
    (found,) = own.get("/assets/presigned-url", params=given).json()["detail"]
    assert found["loc"] == ["query", missing]


def test_longer_texts_are_refused(own):
    assert own.post("/assets/folder", json={"name": "x" * 1025}).status_code == 422
    params = {"file_name": "x" * 1025, "type": "image/png"}
    assert own.get("/assets/presigned-url", params=params).status_code == 422


def test_assets_survive_restart(tmp_path):
    with Emulator(port=None, pace=0, data=tmp_path) as emulator, client_of(emulator) as client:
        asset = stored(client).json()
    with Emulator(port=None, pace=0, data=tmp_path) as emulator, client_of(emulator) as client:
        assert client.get("/assets").json() == [asset]
        assert client.get(asset["url"]).content == b"cat"
