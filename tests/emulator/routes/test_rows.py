from uuid import uuid4

import pytest

from comfydeploy.emulator import Emulator


@pytest.fixture(scope="module")
def quiet(connect):
    """A client of a server that nobody else uses, and its ids."""
    with Emulator(pace=0) as emulator:
        client = connect(emulator)
        yield client, client.get("/deployments").json()


def rows(client, deployment, **params) -> list:
    answer = client.get(f"/workflow/{deployment['workflow_id']}/runs", params=params)
    assert answer.status_code == 200
    return answer.json()


def test_the_newest_run_comes_first_and_pages_do_not_overlap(quiet):
    client, (_, deployment, _) = quiet
    ids = [client.post("/run/queue", json={"deployment_id": deployment["id"]}).json()["run_id"] for _ in range(5)]
    newest = ids[::-1]
    assert [row["id"] for row in rows(client, deployment)] == newest
    assert [row["id"] for row in rows(client, deployment, limit=2)] == newest[:2]
    assert [row["id"] for row in rows(client, deployment, limit=2, offset=3)] == newest[3:]
    assert rows(client, deployment, offset=5) == rows(client, deployment, limit=0) == []


def test_a_workflow_lists_its_own_runs_only(quiet):
    client, (picture, _, failing) = quiet
    failed = client.post("/run", json={"deployment_id": failing["id"]}).json()["run_id"]
    assert failed in [row["id"] for row in rows(client, failing)]
    assert failed not in [row["id"] for row in rows(client, picture)]
    upper = {"workflow_id": failing["workflow_id"].upper()}
    assert [row["id"] for row in rows(client, upper)] == [row["id"] for row in rows(client, failing)]
    assert client.get(f"/workflow/{uuid4()}/runs").json() == []


def test_a_run_of_ones_own_graph_has_no_version(quiet):
    client, (deployment, *_) = quiet
    body = {key: deployment[key] for key in ("workflow_id", "machine_id")}
    client.post("/run/workflow/sync", json={**body, "workflow_api_json": {"1": {}}})
    newest = rows(client, deployment, limit=1)[0]
    assert (newest["version"], newest["deployment_id"]) == (None, None)


@pytest.mark.parametrize("params", [{"limit": "x"}, {"limit": -1}, {"offset": -1}, {"limit": 2**63}, {"offset": "1.5"}])
def test_a_page_that_cannot_be_is_a_422(client, params):
    (found,) = client.get("/workflow/x/runs", params=params).json()["detail"]
    assert found["loc"] == ["query", *params]


def test_odd_inputs_are_listed_untouched(quiet):
    client, (deployment, *_) = quiet
    inputs = {"s": "日本語 \x00 😀 \" '", "big": 10**30, "deep": [[[[{"a": [None]}]]]], "f": 1e300}
    client.post("/run/sync", json={"deployment_id": deployment["id"], "inputs": inputs})
    assert rows(client, deployment, limit=1)[0]["workflow_inputs"] == inputs
