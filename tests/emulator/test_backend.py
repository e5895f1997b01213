import pytest

from comfydeploy._emulator.clock import BEGINNING
from comfydeploy.emulator import Emulator, Succeeds


@pytest.mark.parametrize("pace", [1, 10])
def test_queued_runs_leave_one_by_one(connect, pace):
    with Emulator(clock="manual", cold_start=4, queue_length=3, pace=pace) as emulator:
        client = connect(emulator)
        order = {"deployment_id": emulator.deployments["picture"]}
        first, second = (client.post("/run/queue", json=order).json()["run_id"] for _ in range(2))

        def places() -> list[int | None]:
            return [
                client.get(f"/run/{run_id}", params={"queue_position": True}).json()["queue_position"]
                for run_id in (first, second)
            ]

        seen = [places()]
        for _ in range(4):
            emulator.advance(1 * pace)
            seen.append(places())
    assert seen == [[4, 5], [3, 4], [2, 3], [1, 2], [None, None]]


def test_acts_without_duration_need_no_advance(connect):
    with Emulator(clock="manual", cold_start=0, queue_length=3) as emulator:
        emulator.script("picture", Succeeds(seconds=0))
        answer = connect(emulator).post("/run/sync", json={"deployment_id": emulator.deployments["picture"]})
        assert len(answer.json()) == 1
        assert {emulator.runs[0].created_at, emulator.runs[0].ended_at} == {BEGINNING}


def test_cold_start_delays_run(connect):
    with Emulator(clock="manual", cold_start=90) as emulator:
        connect(emulator).post("/run/queue", json={"deployment_id": emulator.deployments["picture"]})
        statuses = []
        for seconds in (89, 1):
            emulator.advance(seconds)
            statuses.append(emulator.runs[0].status)
    assert statuses == ["not-started", "queued"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pace": -1}, "pace must be a number, 0 or more, not -1"),
        ({"pace": float("nan")}, "pace must be a number"),
        ({"clock": "sundial"}, "clock must be 'real' or 'manual', not 'sundial'"),
        ({"cold_start": -0.5}, "cold_start must be a number of seconds, 0 or more, not -0.5"),
        ({"queue_length": -1}, "queue_length must be a number of runs, 0 or more, not -1"),
        ({"retention": 0}, "retention must be a number of runs, 1 or more, not 0"),
    ],
)
def test_invalid_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Emulator(**settings)
