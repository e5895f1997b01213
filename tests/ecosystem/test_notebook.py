"""The page about notebooks is executed as one, by the kernel of Jupyter."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

PAGE = Path(__file__).parent.parent.parent / "docs" / "notebook.md"
# What a user sees of secrets: none of it may be in the file of a notebook.
PROBE = """
import os
from comfydeploy.models import DeploymentRunRequest, MediaItem, NativeRun, Secret
signed = "https://user:5ec2e7@storage.test/a.png?X-Amz-Signature=5ec2e7"
DeploymentRunRequest(
    deployment_id="d", inputs={"prompt": "<script>alert(1)</script>", "image": signed, "api_key": "5ec2e7"},
    webhook="https://me.test/hook?webhook_token=5ec2e7",
)
"""
LOADED = "import sys; print('before', 'comfydeploy._display' in sys.modules, 'ipywidgets' in sys.modules)"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory, request):
    """The executed notebook: the examples of the page, and further cells."""
    emulator = request.getfixturevalue("emulator")
    text = PAGE.read_text(encoding="utf-8").replace("http://localhost:3011/api", emulator.url)
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    first, rest = examples[0].split("\n\n", 1)
    sources = ["import comfydeploy.client", LOADED, first, rest, "run", *examples[1:], PROBE]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    made = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(made, timeout=300, startup_timeout=300, kernel_name="python3")
    client.execute(cwd=str(tmp_path_factory.mktemp("notebook")))
    return made


def bundles(cell):
    return [output["data"] for output in cell.outputs if "data" in output]


def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def cell_with(notebook, text):
    (found,) = [cell for cell in notebook.cells if text in cell.source]
    return found


def test_nothing_is_loaded_before_a_display(notebook):
    assert printed(notebook.cells[1]) == "before False False\n"


def test_a_run_is_one_output_that_is_updated(notebook):
    (shown,) = bundles(cell_with(notebook, "with LiveDisplay() as live"))
    assert '<span class="cd-status cd-good">success</span>' in shown["text/html"]
    assert "elapsed" in shown["text/plain"]


def test_a_run_is_a_card(notebook):
    (shown,) = bundles(next(cell for cell in notebook.cells if cell.source == "run"))
    assert shown["text/plain"].startswith("Run  ")
    assert ">cd_00001_.png</a>" in shown["text/html"]


def test_a_map_shows_its_pictures(notebook):
    cell = cell_with(notebook, "with run_map(")
    watch, jobs = bundles(cell)
    assert "success" in watch["text/plain"]
    assert jobs["text/plain"].startswith("Map  4 of 4 jobs ended")
    assert jobs["text/html"].count('src="data:image/png;base64,') == 4
    assert "0 ['a cat-0.png']" in printed(cell)


def test_saved_files_are_pictures(notebook):
    (shown,) = bundles(cell_with(notebook, "paths ="))
    assert shown["text/html"].count('src="data:image/png;base64,') == 1


def test_no_secret_is_in_the_file(notebook):
    (shown,) = bundles(notebook.cells[-1])
    assert "&lt;script&gt;" in shown["text/html"]
    outputs = str([cell.outputs for cell in notebook.cells])
    assert "5ec2e7" not in outputs
    assert "<script" not in "".join(shown.get("text/html", "") for cell in notebook.cells for shown in bundles(cell))
    assert "local-key" not in outputs
    assert not re.search(r"https?://[^\s\"'<>]*\?", outputs)
