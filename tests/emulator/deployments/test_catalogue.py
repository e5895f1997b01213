from uuid import uuid4

import pytest

from comfydeploy.emulator import Emulator, Fails, NodeOutput, Succeeds

OWN_ID = "7b1c9a52-0d6e-4f0a-9c7f-2f4b7f3f9d10"


@pytest.fixture
def emulator():
    with Emulator(pace=0) as emulator:
        yield emulator


@pytest.fixture
def client(connect, emulator):
    return connect(emulator)


def test_own_deployment_runs_by_its_id(emulator, client):
    output = NodeOutput("clip", files={"cat.mp4": b"it moves"})
    assert emulator.add_deployment("film", id=OWN_ID.upper(), outcome=Succeeds([output])) == OWN_ID
    assert emulator.deployments["film"] == OWN_ID
    (shown,) = client.post("/run/sync", json={"deployment_id": OWN_ID}).json()
    assert shown["data"]["videos"][0]["filename"] == "cat.mp4"


def test_deployment_added_before_start(connect):
    emulator = Emulator(pace=0)
    added = emulator.add_deployment("drawing")
    with emulator:
        (shown,) = connect(emulator).post("/run/sync", json={"deployment_id": added}).json()
    assert shown["data"]["images"][0]["filename"] == "cd_00001_.png"


def test_its_inputs_and_outputs_are_described(emulator, client):
    inputs = {"prompt": "a cat", "steps": 20, "strength": 0.5, "tiled": True}
    outputs = [NodeOutput("clip", files={"a.mp4": b""}), NodeOutput("words", texts=["a"]), NodeOutput()]
    emulator.add_deployment("film", inputs=inputs, outcome=Succeeds(outputs))
    row = client.get("/deployments").json()[-1]
    assert [(one["input_id"], one["type"], one["default_value"]) for one in row["input_types"]] == [
        ("prompt", "string", "a cat"),
        ("steps", "integer", 20),
        ("strength", "float", 0.5),
        ("tiled", "boolean", True),
    ]
    assert [(one["type"], one["output_id"]) for one in row["output_types"]] == [("video", "clip"), ("text", "words")]
    assert row["workflow"]["name"] == "film"


@pytest.mark.parametrize("declared", [{}, {"fail": False, "text": "a caption"}])
def test_own_inputs_fail_and_text_have_no_effect(emulator, client, declared):
    added = emulator.add_deployment("own", inputs=declared)
    for inputs in ({"fail": True}, {"text": "a"}):
        (shown,) = client.post("/run/sync", json={"deployment_id": added, "inputs": inputs}).json()
        assert shown["data"].keys() == {"images"}


def test_own_deployment_is_listed_and_scripted(emulator, client):
    added = emulator.add_deployment("own", outcome=Fails())
    emulator.script("own", Succeeds())
    for _ in range(2):
        client.post("/run/sync", json={"deployment_id": added})
    workflow_id = client.get("/deployments").json()[-1]["workflow_id"]
    rows = client.get(f"/workflow/{workflow_id}/runs").json()
    assert [row["status"] for row in rows] == ["failed", "success"]


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("picture", {}, "there is a deployment 'picture'"),
        ("a", {"id": "nope"}, "id must be a UUID, not 'nope'"),
        ("a", {"inputs": {"x": [1]}}, "inputs: x must be a text, a number or a boolean"),
    ],
)
def test_deployment_that_cannot_be_is_refused(name, fields, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Emulator().add_deployment(name, **fields)


def test_id_belongs_to_one_deployment(emulator):
    taken = str(uuid4())
    emulator.add_deployment("one", id=taken)
    with pytest.raises(ValueError, match="already"):
        emulator.add_deployment("two", id=taken)
