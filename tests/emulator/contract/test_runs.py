"""A run has the recorded shape in each of its states."""

import httpx
import pytest

from comfydeploy.emulator import Emulator, Fails, IsRefused, TimesOut


@pytest.fixture(scope="module")
def shown():
    """Return a run as soon as it has a status."""
    with Emulator(clock="manual") as emulator, httpx.Client(base_url=emulator.url) as client:
        client.headers["authorization"] = f"Bearer {emulator.bearer}"

        def show(status):
            name = {"failed": "failing"}.get(status, "slow")
            if status == "timeout":
                emulator.script(name, TimesOut())
            body = {"deployment_id": emulator.deployments[name]}
            run_id = client.post("/run/deployment/queue", json=body).json()["run_id"]
            if status == "cancelled":
                client.post(f"/run/{run_id}/cancel")
            while (run := client.get(f"/run/{run_id}").json())["status"] != status:
                emulator.advance(0.1)
            return run

        yield show


@pytest.mark.parametrize("status", ["not-started", "running", "success", "failed", "timeout", "cancelled"])
def test_run_has_recorded_shape_in_every_state(shown, like, recordings, status):
    recorded = [one.body for one in recordings.values() if one.shows_a_run and one.body["status"] == status]
    assert recorded
    assert not like(shown(status), *recorded)


def test_every_state_is_recorded(recordings):
    assert {one.body["status"] for one in recordings.values() if one.shows_a_run} == {
        "not-started",
        "running",
        "success",
        "failed",
        "timeout",
        "cancelled",
    }


# Recorded runs have no session, no outputs with names, and no kept lists of nodes in a success.
BY_CHANCE = {
    "$.gpu_event_id: id, recorded: null",
    "$.live_status: text, recorded: null",
    "$.outputs[].output_id: not recorded",
    "$.outputs[].data.images[].output_id: not recorded",
}
ROWS = ("workflow-runs-list", "workflow-runs-failed", "workflow-runs-refused")


@pytest.fixture
def server():
    with Emulator(clock="manual") as emulator, httpx.Client(base_url=emulator.url) as client:
        client.headers["authorization"] = f"Bearer {emulator.bearer}"
        client.emulator = emulator
        client.deployment = client.get("/deployments").json()[0]
        client.runs = f"/workflow/{client.deployment['workflow_id']}/runs"
        yield client


@pytest.fixture
def unlike_rows(recordings, like):
    """Return the differences of v1 rows from the recorded ones."""
    recorded = [without_graph(row) for name in ROWS for row in recordings[name].body]
    return lambda rows: {line for row in rows for line in like(without_graph(row), *recorded)} - BY_CHANCE


def test_rows_of_batch_have_recorded_shape(server, unlike_rows):
    server.post("/run", json={"deployment_id": server.deployment["id"], "batch_number": 2})
    for status in ("not-started", "success"):
        rows = server.get(server.runs).json()
        assert [row["status"] for row in rows] == [status] * 2
        assert not unlike_rows(rows)
        server.emulator.advance(60)


def test_rows_of_failed_runs_have_recorded_shape(server, unlike_rows, recordings):
    recorded = recordings["workflow-runs-refused"].body[0]["outputs"][0]["data"]["error"]
    for outcome in (Fails("kaputt"), IsRefused(recorded["node_errors"], recorded["error"])):
        server.emulator.script("picture", outcome)
        server.post("/run/queue", json={"deployment_id": server.deployment["id"]})
    server.emulator.advance(60)
    refused, failed = server.get(server.runs).json()
    assert not unlike_rows([refused, failed])
    assert [output["data"] for output in refused["outputs"]] == [{"error": recorded}]
    assert [type(output["data"]) for output in failed["outputs"]] == [list, dict]


def test_rows_without_outputs_have_recorded_shape(server, recordings, like):
    server.post("/run/queue", json={"deployment_id": server.deployment["id"]})
    (found,) = server.get(server.runs, params={"with_outputs": False}).json()
    (recorded,) = recordings["workflow-runs-without-outputs"].body
    assert set(found) == set(recorded)


def test_small_rows_have_recorded_shape(server, recordings, like):
    recorded = [row for name in ("v2-workflow-runs-list", "v2-workflow-runs-since") for row in recordings[name].body]
    server.post("/run", json={"deployment_id": server.deployment["id"], "batch_number": 2})
    server.post("/run/queue", json={"deployment_id": server.deployment["id"]})
    for _ in range(2):
        for row in server.get(f"/v2{server.runs}").json():
            assert not like(row, *recorded)
            assert list(row) == list(recorded[0])
        server.emulator.advance(60)


def test_deployment_has_recorded_shape(server, recordings, like):
    recorded = recordings["deployment-get"].body
    answer = server.get(f"/deployment/{server.deployment['id']}")
    texts = {"$.description: text, recorded: null"}
    differences = set(like({**answer.json(), "version": {}}, {**recorded, "version": {}}))
    assert {line for line in differences if "put_types" not in line} <= texts
    assert set(answer.json()["version"]) == set(recorded["version"])


def test_runs_of_deployment_have_recorded_shape(server, recordings, like):
    server.post("/run/queue", json={"deployment_id": server.deployment["id"]})
    server.emulator.advance(60)
    found = server.get(f"/deployment/{server.deployment['id']}/runs").json()
    recorded = recordings["deployment-runs"].body
    assert len(found["data"]) == 1
    assert not like(found, recorded)


def without_graph(row):
    """Leave out what belongs to the workflow and not to the service."""
    version = row["version"] and {**row["version"], "workflow": None, "workflow_api": None}
    return {**row, "version": version}
