import subprocess
import sys

import pytest

from comfydeploy.emulator import Emulator


@pytest.mark.parametrize("address", ["127.0.0.1:8188", "ftp://127.0.0.1", "http://", "http://a:b", "", 8188])
def test_invalid_address_is_refused(address):
    with pytest.raises(ValueError, match=r"comfyui must be an address, such as http://127\.0\.0\.1:8188"):
        Emulator(comfyui=address)


@pytest.mark.parametrize("path", ["", "/", "/behind/a/proxy/"])
def test_address_may_have_path(fake, forwarding, node, path):
    with fake(path=path.rstrip("/")) as comfyui:
        local = forwarding(f"{comfyui.url}{path}")
        assert local.streamed(local.request(node("Text")))[-1][1]["status"] == "success"


def test_missing_extra_is_named():
    code = """
import sys
sys.modules["websockets"] = None
from comfydeploy.emulator import Emulator
Emulator()
try:
    Emulator(comfyui="http://127.0.0.1:8188")
except ModuleNotFoundError as missing:
    print(missing)
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install '.[comfyui]'" in printed


def test_server_can_be_restarted(comfyui, node, connect):
    emulator = Emulator(pace=0, comfyui=comfyui.url)
    for _ in range(2):
        with emulator:
            client = connect(emulator)
            row = client.get("/deployments").json()[0]
            request = {"workflow_id": row["workflow_id"], "machine_id": row["machine_id"]}
            answer = client.post(
                "/run/sync", json={**request, "workflow_api_json": {"1": node("Saver", ui={"n": [1]})}}
            )
            assert [output["data"] for output in answer.json()] == [{"n": [1]}]
