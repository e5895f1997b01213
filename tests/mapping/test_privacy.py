"""The journal of a map has the requests, and neither the token nor the headers of calls."""

from comfydeploy import ComfyDeployCore, RequestOptions
from comfydeploy.funcs.run_map import run_map


def test_journal_has_no_token(emulator, tmp_path):
    job = {"deployment_id": emulator.deployments["picture"], "inputs": {"prompt": "a cat in the journal"}}
    options = RequestOptions(headers={"x-secret": "5ec2e7"})
    with (
        ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url) as core,
        run_map(core, [job], options, journal=tmp_path / "journal") as items,
    ):
        assert [type(item.result).__name__ for item in items] == ["Success"]
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"a cat in the journal" in written
    assert emulator.bearer.encode() not in written
    assert b"5ec2e7" not in written
