import httpx

from comfydeploy.emulator import Emulator


def test_runs_and_pictures_survive_a_restart(tmp_path, connect):
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


def test_a_run_that_a_stop_interrupted_is_cancelled(tmp_path, connect):
    with Emulator(pace=100_000, data=tmp_path) as emulator:
        body = {"deployment_id": emulator.deployments["slow"]}
        run_id = connect(emulator).post("/run/queue", json=body).json()["run_id"]
    with Emulator(pace=0, data=tmp_path) as emulator:
        run = connect(emulator).get(f"/run/{run_id}").json()
    assert run["status"] == "cancelled"
    assert run["ended_at"] == run["updated_at"]


def test_without_a_folder_nothing_is_left_behind(tmp_path, monkeypatch, connect):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Emulator(pace=0) as emulator:
        connect(emulator).post("/run/sync", json={"deployment_id": emulator.deployments["picture"]})
        assert list(tmp_path.rglob("*.png"))
    assert not list(tmp_path.iterdir())
