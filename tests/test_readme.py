"""Every example of the README runs, from top to bottom, against the local server."""

import contextlib
import io
import logging
import pkgutil
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from comfydeploy import ComfyDeployCore, funcs
from comfydeploy._cli.commands import comfydeploy
from comfydeploy.emulator import Quirk

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = [
    (README[: found.start()].count("\n") + 1, found[1])
    for found in re.finditer(r"```python\n(.*?)```", README, re.DOTALL)
]


@pytest.fixture
def quiet_logging():
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def test_every_example_runs_and_shows_what_it_says(emulator, quiet_logging, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("readme")
    printed = {}
    for line, example in EXAMPLES:
        source = "\n" * line + example.replace("http://localhost:3011/api", emulator.url)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(source, "README.md", "exec"), vars(module))
        printed[example.strip().splitlines()[0]] = output.getvalue()
    for core in [value for value in vars(module).values() if isinstance(value, ComfyDeployCore)]:
        core.close()
    everything = "".join(printed.values())
    for expected in (
        "queued ",
        "success ['http",
        "cd_00001_.png",
        "execution_start {",
        "log ",
        "image/png ",
        "an image input takes http",
        "100%",
        "job-7 r success 1 True\njob-7 r success 1 True",
        "404 Run not found",
        "unknown: 'input'",
        "CreateRunResponse(run_id='r')",
        "get_run_run__run_id__get 0",
        "ended as failed",
        "success 3 None ConnectError: ",
        "queued 3 None ConnectError: ",
        "<Success: []>",
        "['failed', 'running']",
        "[('failed', []), ('success', ['cat.mp4'])]",
    ):
        assert expected in everything, expected


def test_its_example_tests_pass(tmp_path):
    (example,) = (example for _, example in EXAMPLES if example.startswith("# test_pictures.py"))
    (tmp_path / "test_pictures.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout


def test_the_commands_it_shows_exist():
    shown = set(re.findall(r"comfydeploy (demo|emulator)\b", README))
    assert shown == set(comfydeploy.commands)


def test_its_table_of_quirks_is_the_code():
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| ([^|]*?) ?\|$", README, re.MULTILINE)
    assert [row for row in rows if row[0] in set(Quirk)] == [
        (quirk, quirk.explanation, quirk.trigger) for quirk in Quirk
    ]


def test_its_table_of_operations_is_the_code():
    rows = set(re.findall(r"^\| `(\w+)` \| `client", README, re.MULTILINE))
    assert rows == {module.name for module in pkgutil.iter_modules(funcs.__path__)}
