from uuid import uuid4

import httpx
import pytest

from comfydeploy.emulator import Emulator


def test_deployment_is_read_by_its_id(client):
    listed = client.get("/deployments").json()[1]
    found = client.get(f"/deployment/{listed['id'].upper()}").json()
    assert {name: found[name] for name in ("id", "workflow_id", "input_types")} == {
        name: listed[name] for name in ("id", "workflow_id", "input_types")
    }
    assert found["version"]["workflow_api"]


def test_version_leads_to_its_workflow(client):
    listed = client.get("/deployments").json()[1]
    version = client.get(f"/workflow-version/{listed['workflow_version_id']}").json()
    assert (version["id"], version["workflow_id"]) == (listed["workflow_version_id"], listed["workflow_id"])
    answer = client.get(f"/workflow-version/{uuid4()}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Workflow version not found"})


@pytest.fixture
def own():
    """A server of its own, its client, and the first deployment."""
    with Emulator(port=None, pace=0) as emulator:
        client = httpx.Client(
            transport=emulator.transport,
            base_url=emulator.url,
            headers={"authorization": f"Bearer {emulator.bearer}"},
        )
        yield emulator, client, client.get("/deployments").json()[0]


def order_of(deployment, **changes):
    names = ("workflow_id", "workflow_version_id", "machine_id")
    return {**{name: deployment[name] for name in names}, "environment": "staging", **changes}


def test_environment_has_one_deployment(own):
    emulator, client, listed = own
    made = client.post("/deployment", json=order_of(listed)).json()
    again = client.post("/deployment", json=order_of(listed)).json()
    assert (again["id"], again["environment"], again["input_types"]) == (made["id"], "staging", None)
    assert emulator.deployments["picture (staging)"] == made["id"]
    (found,) = client.get("/deployments", params={"environment": "staging"}).json()
    assert found["input_types"] == listed["input_types"]
    assert len(client.get("/deployments", params={"environment": "production"}).json()) == 3


def test_deployment_changes_its_environment(own):
    _, client, listed = own
    made = client.post("/deployment", json=order_of(listed)).json()
    moved = client.post(
        "/deployment", json=order_of(listed, deployment_id=made["id"], environment="public-share")
    ).json()
    assert (moved["id"], moved["share_slug"]) == (made["id"], "user_picture")


def test_shared_deployment_is_read_by_its_slug(own):
    _, client, listed = own
    assert client.get("/deployments/featured").json() == []
    made = client.post("/deployment", json=order_of(listed, environment="public-share")).json()
    found = client.get(f"/share/{made['share_slug'].replace('_', '/', 1)}").json()
    assert (found["id"], found["input_types"], "machine_id" in found) == (made["id"], listed["input_types"], False)
    (featured,) = client.get("/deployments/featured").json()
    assert (featured["share_slug"], "nodes" in featured["workflow"]["workflow"]) == (made["share_slug"], True)
    assert client.get("/share/user/other").status_code == 404


def test_runs_of_deployment_use_its_machine(own):
    emulator, client, listed = own
    machine_id = client.get("/machines").json()[-1]["id"]
    made = client.post("/deployment", json=order_of(listed, machine_id=machine_id)).json()
    client.patch(f"/deployment/{made['id']}", json={"gpu": "A10G", "keep_warm": 1})
    run_id = client.post("/run/queue", json={"deployment_id": made["id"], "gpu": "T4"}).json()["run_id"]
    (run,) = [one for one in emulator.runs if one.id == run_id]
    assert (run.deployment_id, run.machine_id, run.gpu) == (made["id"], machine_id, "A10G")


@pytest.mark.parametrize("name", ["workflow_id", "workflow_version_id", "machine_id"])
def test_deployment_of_unknown_part_is_500(own, name):
    _, client, listed = own
    answer = client.post("/deployment", json=order_of(listed, **{name: str(uuid4())}))
    assert answer.status_code == 500
    assert ("404: " in answer.text) is (name != "workflow_version_id")


def test_deployment_without_machine_is_400(own):
    _, client, listed = own
    answer = client.post("/deployment", json=order_of(listed, machine_id=None))
    assert (answer.status_code, answer.json()) == (400, {"detail": "Machine ID or Machine Version ID is required"})


@pytest.mark.parametrize("change", ["machine_id", "machine_version_id", "workflow_version_id"])
def test_change_to_unknown_part_is_500(own, change):
    _, client, listed = own
    answer = client.patch(f"/deployment/{listed['id']}", json={change: str(uuid4())})
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
    assert client.patch(f"/deployment/{uuid4()}", json={}).status_code == 500


def test_deployments_survive_restart(tmp_path, connect):
    with Emulator(pace=0, data=tmp_path) as emulator:
        client = connect(emulator)
        made = client.post("/deployment", json=order_of(client.get("/deployments").json()[0])).json()
    with Emulator(pace=0, data=tmp_path) as emulator:
        assert emulator.deployments["picture (staging)"] == made["id"]


def test_workflow_has_its_version(own):
    _, client, listed = own
    workflow = client.get(f"/workflow/{listed['workflow_id']}").json()
    assert (workflow["name"], workflow["versions"][0]["id"]) == ("picture", listed["workflow_version_id"])
    assert client.get(f"/workflow/{listed['workflow_id']}", params={"limit": 0}).json()["versions"] == [None]
    assert client.get(f"/workflow/{uuid4()}").status_code == 404
