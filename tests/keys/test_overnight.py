"""The example of a night: responses are lost, and every picture is saved and billed once."""

import ast
import importlib.util
from pathlib import Path

from PIL import Image

from comfydeploy import ComfyDeployCore
from comfydeploy.emulator import Emulator
from comfydeploy.inputs import KEY_INPUT

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "overnight.py"
PICTURES = 50
LOST = 10


def example():
    spec = importlib.util.spec_from_file_location("overnight", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ten_lost_answers_cost_nothing(tmp_path):
    with Emulator(pace=0) as server, ComfyDeployCore(bearer=server.bearer, server_url=server.url) as core:
        for number in range(LOST):
            server.fail("run_queue", times=1, after=4 * number, reset=True, execute=True)
        paths = example().overnight(core, server.deployments["picture"], tmp_path, PICTURES)
        assert server.faults == ()
        runs = server.runs
    assert sorted(run.workflow_inputs[KEY_INPUT] for run in runs) == sorted(f"cats-{n}" for n in range(PICTURES))
    assert len({path.read_bytes() for path in paths}) == PICTURES
    assert [path.name for path in paths] == [f"cat-{seed}.png" for seed in range(PICTURES)]
    with Image.open(paths[-1]) as picture:
        assert picture.format == "PNG"


def test_example_is_twelve_lines_at_most():
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    lines = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.If)]
    assert sum(node.end_lineno - node.lineno + 1 for node in lines) <= 12
