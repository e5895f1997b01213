"""A run has the recorded shape in each of its states."""

import httpx
import pytest

from comfydeploy.emulator import Emulator, TimesOut


@pytest.fixture(scope="module")
def shown():
    """Shows a run at the first moment at which it has a status."""
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
def test_a_run_has_the_recorded_shape_in_every_state(shown, like, recordings, status):
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


# The recorded rows are of runs without any work and of outputs without names.
BY_CHANCE = {
    "$.gpu_event_id: id, recorded: null",
    "$.live_status: text, recorded: null",
    "$.outputs[].output_id: not recorded",
    "$.outputs[].data.images[].output_id: not recorded",
}


def test_rows_of_a_batch_have_the_recorded_shape_before_and_after_they_ran(recordings, like):
    recorded = [without_graph(row) for row in recordings["workflow-runs-list"].body]
    with Emulator(clock="manual") as emulator, httpx.Client(base_url=emulator.url) as client:
        client.headers["authorization"] = f"Bearer {emulator.bearer}"
        client.post("/run", json={"deployment_id": emulator.deployments["picture"], "batch_number": 2})
        workflow_id = client.get("/deployments").json()[0]["workflow_id"]
        for status in ("not-started", "success"):
            rows = client.get(f"/workflow/{workflow_id}/runs").json()
            assert [row["status"] for row in rows] == [status] * 2
            assert {line for row in rows for line in like(without_graph(row), *recorded)} <= BY_CHANCE
            emulator.advance(60)


def without_graph(row):
    """Leave out what belongs to the workflow and not to the service."""
    return {**row, "version": {**row["version"], "workflow": None, "workflow_api": None}}
