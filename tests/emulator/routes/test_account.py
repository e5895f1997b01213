from uuid import uuid4

import httpx
import pytest

from comfydeploy._emulator import listings
from comfydeploy._emulator.runs.database import DataError
from comfydeploy.emulator import Emulator

OWN = {"id": "0b1a7c1e-52c5-4f0b-9d39-3f6a4a0f1a11", "name": "My Big One", "gpu": "H100", "is_workspace": True}


@pytest.fixture
def serve(tmp_path):
    """Serve from a data folder, and return a client."""
    emulators = []

    def begin(**options):
        emulators.append(Emulator(port=None, data=tmp_path, **options))
        emulators[-1].start()
        bearer = {"authorization": f"Bearer {emulators[-1].bearer}"}
        return httpx.Client(transport=emulators[-1].transport, base_url=emulators[-1].url, headers=bearer)

    yield begin
    for emulator in emulators:
        emulator.stop()


def names(client, **params):
    return [one["name"] for one in client.get("/machines", params=params).json()]


def test_each_workflow_has_machine(client):
    listed = client.get("/machines").json()
    deployment = client.get("/deployments").json()[0]
    assert deployment["machine_id"] in [one["id"] for one in listed]
    whole = client.get(f"/machine/{listed[0]['id'].upper()}").json()
    assert {name: whole[name] for name in listed[0]} == listed[0]
    assert client.get(f"/machine/{uuid4()}").status_code == 404
    assert client.get("/machine/x").status_code == 422


def test_machines_can_be_chosen(client):
    assert names(client, search="PICT") == ["picture"]
    assert names(client, limit=1, offset=1) == ["slow"]
    assert names(client, is_deleted=True) == names(client, is_workspace=True) == []
    assert "picture" in names(client, is_deleted=False)


def test_machines_and_models_of_the_folder(serve, tmp_path):
    (tmp_path / "machines.json").write_text(f"[{httpx.Response(200, json=OWN).text}]", encoding="utf-8")
    (tmp_path / "models.json").write_text('[{"id": "m", "name": "Mine", "tags": ["image"]}]', encoding="utf-8")
    client = serve(pace=0)
    assert names(client, is_workspace=True) == ["My Big One"]
    assert client.get(f"/machine/{OWN['id']}").json()["gpu"] == "H100"
    (model,) = client.get("/models").json()
    assert (model["id"], model["tags"], model["inputs"]) == ("m", ["image"], [])


@pytest.mark.parametrize("text", ["", "{}", '[{"id": "m"}]', "[" * 10_000])
def test_wrong_file_of_the_folder_is_named(serve, tmp_path, text):
    (tmp_path / "machines.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"machines\.json: expected a JSON list"):
        serve()


def test_large_file_of_the_folder_is_refused(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(listings, "LARGEST", 10)
    (tmp_path / "models.json").write_text("[" + " " * 10, encoding="utf-8")
    with pytest.raises(DataError, match=r"models\.json has more than 10 bytes"):
        serve()


def test_there_is_a_model_without_file(client):
    assert [one["id"] for one in client.get("/models").json()] == ["local-picture"]


def test_models_are_found_by_name(client):
    find = lambda **params: client.get("/search/model", params=params)  # noqa: E731 - short
    (found,) = find(query="PICTURE").json()["models"]
    assert (found["name"], found["filename"]) == ("Local picture", "Local picture.safetensors")
    assert find(query="picture", provider="civitai").json() == find(query="x").json() == {"models": []}
    assert find().json()["detail"][0]["loc"] == ["query", "query"]


def test_usage_is_that_of_ended_runs(by_hand, connect):
    client = connect(by_hand)
    deployment = client.get("/deployments").json()[0]
    assert client.get("/platform/usage").json()["usage"] == []
    client.post("/run/queue", json={"deployment_id": deployment["id"]})
    by_hand.advance(60)
    (run,) = by_hand.runs
    found = client.get("/platform/usage").json()
    (item,) = found["usage"]
    assert (item["machine_id"], item["machine_name"], item["gpu"]) == (run.machine_id, "picture", "CPU")
    assert item["usage_in_sec"] == (run.ended_at - run.started_at).total_seconds()
    assert found["total_cost"] == item["cost"] > 0
    later = client.get("/platform/usage", params={"start_time": "2030-01-01T00:00:00"}).json()
    assert (later["usage"], later["period"]["start"]) == ([], "2030-01-01T00:00:00")
