"""Exchanges are recorded and replayed by vcrpy."""

import pytest

from comfydeploy import Success
from comfydeploy.emulator import Emulator

vcr = pytest.importorskip("vcr")


def test_recorded_run_is_replayed(way, tmp_path):
    recorder = vcr.VCR(cassette_library_dir=str(tmp_path), filter_headers=["authorization"], record_mode="once")

    def exchange(core, order):
        with recorder.use_cassette("run.yaml") as cassette:
            queued = way(core, "run_queue", order).unwrap()
            read = way(core, "run_get", queued.run_id)
            items = way(core, "run_stream", order)
        return queued, read, items, cassette.play_count

    with Emulator(pace=0) as emulator:
        core = {"bearer": emulator.bearer, "server_url": emulator.url}
        order = {"deployment_id": emulator.deployments["picture"]}
        *recorded, played = exchange(core, order)
        assert played == 0
        assert all(isinstance(item, Success) for item in recorded[2])
    text = (tmp_path / "run.yaml").read_text()
    assert core["bearer"] not in text
    assert "/api/run/stream" in text
    # The server is gone.
    *replayed, played = exchange(core, order)
    assert played == 3
    assert replayed == recorded
