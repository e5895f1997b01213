from concurrent.futures import ThreadPoolExecutor

import httpx

from comfydeploy.emulator import Emulator


def test_runs_and_pictures_survive_restart(tmp_path, connect):
    folder = tmp_path / "new" / "data"
    with Emulator(pace=0, data=folder) as emulator:
        body = {"deployment_id": emulator.deployments["picture"]}
        run_id = connect(emulator).post("/run/sync", json=body).json()[0]["run_id"]
        before = connect(emulator).get(f"/run/{run_id}").json()
    with Emulator(pace=0, data=str(folder)) as emulator:
        after = connect(emulator).get(f"/run/{run_id}").json()
        assert httpx.get(after["outputs"][0]["data"]["images"][0]["url"]).status_code == 200
    for run in (before, after):
        run["outputs"][0]["data"]["images"][0].pop("url")
    assert after == before


def test_run_that_stop_interrupted_is_cancelled(tmp_path, connect):
    with Emulator(pace=100_000, data=tmp_path) as emulator:
        body = {"deployment_id": emulator.deployments["slow"]}
        run_id = connect(emulator).post("/run/queue", json=body).json()["run_id"]
    with Emulator(pace=0, data=tmp_path) as emulator:
        run = connect(emulator).get(f"/run/{run_id}").json()
    assert run["status"] == "cancelled"
    assert run["ended_at"] == run["updated_at"]


def test_without_folder_nothing_is_left_behind(tmp_path, monkeypatch, connect):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Emulator(pace=0) as emulator:
        connect(emulator).post("/run/sync", json={"deployment_id": emulator.deployments["picture"]})
        assert list(tmp_path.rglob("*.png"))
    assert not list(tmp_path.iterdir())


def test_no_folder_is_made_before_file(tmp_path, monkeypatch, connect):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Emulator(pace=0) as emulator:
        connect(emulator).post("/run/sync", json={"deployment_id": emulator.deployments["failing"]})
        assert not list(tmp_path.iterdir())


def test_retention_keeps_latest_ended_runs(tmp_path, connect):
    with Emulator(pace=0, data=tmp_path, retention=3) as emulator:
        client = connect(emulator)
        order = {"deployment_id": emulator.deployments["picture"], "inputs": {"width": 16}}
        ids = [client.post("/run/sync", json=order).json()[0]["run_id"] for _ in range(5)]
        assert [run.id for run in emulator.runs] == ids[2:]
        assert client.get(f"/run/{ids[0]}").status_code == 404
        assert client.get(f"/v2/clickhouse-run-logs/{ids[4]}").json()
    assert {path.parent.name for path in tmp_path.rglob("*.png")} == set(ids[2:])


def test_smaller_retention_removes_older_runs(tmp_path, connect):
    for retention, count in ((None, 4), (2, 2)):
        with Emulator(pace=0, data=tmp_path, retention=retention) as emulator:
            order = {"deployment_id": emulator.deployments["picture"], "inputs": {"width": 16}}
            for _ in range(4 if retention is None else 0):
                connect(emulator).post("/run/sync", json=order)
            assert len(emulator.runs) == count
    assert len(list(tmp_path.rglob("*.png"))) == 2


def test_retention_keeps_runs_in_progress(connect):
    with Emulator(clock="manual", retention=1) as emulator:
        client = connect(emulator)
        for name in ("slow", "slow", "picture", "picture"):
            client.post("/run/queue", json={"deployment_id": emulator.deployments[name]})
        emulator.advance(3)
        assert [run.status for run in emulator.runs] == ["running", "running", "success"]
        emulator.advance(60)
        assert [run.status for run in emulator.runs] == ["success"]


def test_first_result_of_removed_run(connect):
    with Emulator(clock="manual", retention=1) as emulator, ThreadPoolExecutor(8) as threads:
        order = {"deployment_id": emulator.deployments["picture"], "inputs": {"width": 16}}
        body = {**order, "execution_mode": "sync_first_result"}
        waiting = [threads.submit(connect(emulator).post, "/run", json=body) for _ in range(8)]
        while len(emulator.runs) < len(waiting):
            pass
        emulator.advance(60)
        settled = [one.result() for one in waiting]
    assert {one.status_code for one in settled} <= {200, 400}
    for one in settled:
        assert one.content.startswith(b"\x89PNG") or "is not kept any more" in one.json()["detail"]


def test_sync_has_outputs_of_removed_run(connect):
    with Emulator(pace=0, retention=1) as emulator:
        order = {"deployment_id": emulator.deployments["picture"], "inputs": {"width": 16}}
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: connect(emulator).post("/run/sync", json=order).json(), range(40)))
        assert [len(answer) for answer in answers] == [1] * 40
        assert len(emulator.runs) == 1
