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
