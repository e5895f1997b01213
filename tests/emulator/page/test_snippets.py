"""The examples of the page, as they are run."""

import ast
import contextlib
import io
import json
import re
import shlex
import subprocess
import sys

import pytest

from comfydeploy._emulator.page import snippets

URL = "http://127.0.0.1:3011/api"
HOSTILE = {
    'it\'s "quoted"': "$(touch x) `id` \\ \n\t\u2028 \U0001f600",
    "'": '"""',
    "</pre><script>": [1, {"a": None}],
    "x" * 80: True,
}


@pytest.mark.parametrize("inputs", [{}, {"seed": 7}, HOSTILE])
def test_command_sends_inputs_as_they_are(inputs):
    _, url, _, key, _, _, _, body = shlex.split(snippets.curl(URL, "a 'key'", "an id", inputs).replace("\\\n", " "))
    assert (url, key) == (f"{URL}/run/deployment/queue", "authorization: Bearer a 'key'")
    assert json.loads(body) == {"deployment_id": "an id", "inputs": inputs}


@pytest.mark.parametrize("inputs", [{}, {"seed": 7}, HOSTILE])
def test_program_has_inputs_as_they_are(inputs):
    program = ast.parse(snippets.python(URL, "a 'key'", "an id", inputs))
    (body,) = [one for one in ast.walk(program) if isinstance(one, ast.Dict) and "deployment_id" in ast.unparse(one)]
    assert ast.literal_eval(body) == {"deployment_id": "an id", "inputs": inputs}


@pytest.fixture
def examples(visit, emulator):
    """Read the examples of a deployment from its page."""

    def read(name):
        text = visit(emulator).get(f"/deployments/{emulator.deployments[name]}")
        shown = dict(re.findall(r'aria-label="(Python|curl)"><code>(.*?)</code>', text, re.DOTALL))
        # The page was read through memory, whose address has no server.
        return {one: code.replace("http://127.0.0.1:3011/api", emulator.url) for one, code in shown.items()}

    return read


def test_program_on_page_runs(examples, emulator):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(examples("picture")["Python"], "example", "exec"), {})
    assert "success" in printed.getvalue()
    assert emulator.runs[-1].workflow_inputs["prompt"] == "a quiet harbour at dawn"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no sh")
def test_command_on_page_runs(examples, emulator):
    done = subprocess.run(["sh", "-c", examples("failing")["curl"]], capture_output=True, check=True, timeout=60)
    run_id = json.loads(done.stdout)["run_id"]
    assert run_id in [run.id for run in emulator.runs]
