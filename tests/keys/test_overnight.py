"""The example of a night: answers are lost, the program is killed, and every picture is there and billed once."""

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from comfydeploy.emulator import Emulator
from comfydeploy.inputs import KEY_INPUT

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "overnight.py"
PICTURES = 20


def test_a_kill_in_the_middle_costs_nothing(tmp_path):
    with Emulator(pace=0) as server:
        server.fail("run_queue", times=3, reset=True, execute=True)
        server.fail("run_queue", after=5, hang=True, execute=True)  # these runs exist when the program is killed
        command = [sys.executable, str(EXAMPLE), server.deployments["picture"], str(tmp_path / "night")]
        environment = os.environ | {"COMFYDEPLOY_API_KEY": server.bearer, "COMFYDEPLOY_SERVER_URL": server.url}
        first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        shown = first.stdout.readline()
        until = time.monotonic() + 60
        while len(server.runs) < 15 and time.monotonic() < until:  # nearly all that are in work at once hang
            time.sleep(0.02)
        first.kill()
        first.communicate()
        paid = len(server.runs)
        server.clear_faults()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
        assert shown in done.stdout
        keys = [run.workflow_inputs[KEY_INPUT] for run in server.runs]
    assert 15 <= paid <= PICTURES
    assert len(keys) == len(set(keys)) == PICTURES
    paths = sorted((tmp_path / "night").iterdir())
    assert [path.name for path in paths] == sorted(
        f"a {one}-{seed}.png" for one in ("cat", "dog") for seed in range(10)
    )
    assert len({path.read_bytes() for path in paths}) == len(done.stdout.splitlines()) == PICTURES
    with Image.open(paths[-1]) as picture:
        assert picture.format == "PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["night", "night.sqlite"]


def test_example_is_twelve_lines_at_most():
    _, *statements = ast.parse(EXAMPLE.read_text(encoding="utf-8")).body  # after the docstring
    assert sum(node.end_lineno - node.lineno + 1 for node in statements) <= 12
