from datetime import datetime
from uuid import uuid4

import pytest

from comfydeploy.emulator import Emulator


@pytest.fixture
def quiet(connect):
    """A client of a server of its own, and the ids of that server."""
    with Emulator(pace=0) as emulator:
        client = connect(emulator)
        yield client, client.get("/deployments").json()


def rows(client, deployment, **params) -> list:
    answer = client.get(f"/workflow/{deployment['workflow_id']}/runs", params=params)
    assert answer.status_code == 200
    return answer.json()


def test_pages_are_newest_first_without_overlap(quiet):
    client, (_, deployment, _) = quiet
    ids = [client.post("/run/queue", json={"deployment_id": deployment["id"]}).json()["run_id"] for _ in range(5)]
    newest = ids[::-1]
    assert [row["id"] for row in rows(client, deployment)] == newest
    assert [row["id"] for row in rows(client, deployment, limit=2)] == newest[:2]
    assert [row["id"] for row in rows(client, deployment, limit=2, offset=3)] == newest[3:]
    assert rows(client, deployment, offset=5) == rows(client, deployment, limit=0) == []


def test_workflow_lists_its_own_runs_only(quiet):
    client, (picture, _, failing) = quiet
    failed = client.post("/run", json={"deployment_id": failing["id"]}).json()["run_id"]
    assert failed in [row["id"] for row in rows(client, failing)]
    assert failed not in [row["id"] for row in rows(client, picture)]
    upper = {"workflow_id": failing["workflow_id"].upper()}
    assert [row["id"] for row in rows(client, upper)] == [row["id"] for row in rows(client, failing)]
    assert client.get(f"/workflow/{uuid4()}/runs").json() == []


def test_run_of_sent_graph_has_no_version(quiet):
    client, (deployment, *_) = quiet
    body = {key: deployment[key] for key in ("workflow_id", "machine_id")}
    client.post("/run/workflow/sync", json={**body, "workflow_api_json": {"1": {}}})
    newest = rows(client, deployment, limit=1)[0]
    assert (newest["version"], newest["deployment_id"]) == (None, None)


@pytest.mark.parametrize("params", [{"limit": "x"}, {"limit": -1}, {"offset": -1}, {"limit": 2**63}, {"offset": "1.5"}])
def test_page_that_cannot_be_is_422(client, params):
    (found,) = client.get("/workflow/x/runs", params=params).json()["detail"]
    assert found["loc"] == ["query", *params]


def test_odd_inputs_are_listed_untouched(quiet):
    client, (deployment, *_) = quiet
    inputs = {"s": "日本語 \x00 😀 \" '", "big": 10**30, "deep": [[[[{"a": [None]}]]]], "f": 1e300}
    client.post("/run/sync", json={"deployment_id": deployment["id"], "inputs": inputs})
    assert rows(client, deployment, limit=1)[0]["workflow_inputs"] == inputs


def test_unknown_inputs_are_kept_for_every_run(quiet):
    """A client can find its runs by an input that no workflow takes."""
    client, (_, deployment, _) = quiet
    key = {"comfydeploy_key": "night/7"}
    ids = [client.post("/run/queue", json={"deployment_id": deployment["id"], "inputs": key}).json()["run_id"]]
    graph = {name: deployment[name] for name in ("workflow_id", "machine_id")} | {"workflow_api_json": {"1": {}}}
    ids.append(client.post("/run/queue", json={**graph, "inputs": key}).json()["run_id"])
    version = {"workflow_version_id": deployment["workflow_version_id"], "machine_id": deployment["machine_id"]}
    ids.append(client.post("/run/queue", json={**version, "inputs": key}).json()["run_id"])
    client.post("/run", json={"deployment_id": deployment["id"], "inputs": key, "batch_number": 3})
    found = rows(client, deployment, limit=6)
    assert [row["workflow_inputs"] for row in found] == [key] * 6
    assert [row["id"] for row in found[3:]] == ids[::-1]
    assert client.get(f"/run/{found[0]['id']}").json()["workflow_inputs"] == key


def test_columns_can_be_left_out(quiet):
    client, (deployment, *_) = quiet
    client.post("/run/sync", json={"deployment_id": deployment["id"]})
    (whole,) = rows(client, deployment, limit=1)
    (small,) = rows(client, deployment, limit=1, with_outputs=False, with_inputs=False)
    assert whole.keys() - small.keys() == {"outputs", "workflow_inputs"}


@pytest.fixture
def timed(by_hand, connect):
    """Two runs, ten seconds apart; the second is of a graph without a deployment."""
    client = connect(by_hand)
    deployment = client.get("/deployments").json()[0]
    graph = {name: deployment[name] for name in ("workflow_id", "machine_id")} | {"workflow_api_json": {"1": {}}}
    first = client.post("/run/queue", json={"deployment_id": deployment["id"]}).json()["run_id"]
    by_hand.advance(10)
    second = client.post("/run/queue", json=graph).json()["run_id"]
    return client, deployment, first, second


def test_small_rows_can_be_chosen(timed):
    client, deployment, first, second = timed
    begun = int(datetime.fromisoformat(client.get(f"/run/{first}").json()["created_at"]).timestamp())

    def ids(**params):
        return [row["id"] for row in client.get(f"/v2/workflow/{deployment['workflow_id']}/runs", params=params).json()]

    assert ids() == ids(rf=begun) == [second, first]
    assert ids(rf=begun + 10) == [second]
    assert ids(status="success") == ids(deployment_id=deployment["id"].upper()) == ids(offset=1) == [first]
    assert ids(limit=1) == [second]


def test_small_rows_of_unknown_workflow_are_404(client):
    answer = client.get(f"/v2/workflow/{uuid4()}/runs")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Workflow not found"})


def test_runs_of_deployment_are_listed(timed):
    client, deployment, first, _ = timed
    path = f"/deployment/{deployment['id']}/runs"
    assert [row["id"] for row in client.get(path).json()["data"]] == [first]
    assert client.get(path, params={"status": "failed"}).json() == client.get(path).json()  # it filters nothing
    answer = client.get(f"/deployment/{uuid4()}/runs")
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
