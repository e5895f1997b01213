"""Every example of the README and of docs/ runs, each page from top to bottom, against the local server."""

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

EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
TEST_FILE = re.compile(r"# (test_\w+\.py)\n")
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {"README.md": README} | {
    f"docs/{page.name}": page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))
}
SHOWN = {
    "README.md": (
        "queued ",
        "success ['http",
        "cd_00001_.png",
        "execution_start\n",
        "40% Executing ",
        "log ",
        "image/png ",
        "an image input takes http",
        "100%",
        "404 Run not found",
        "unknown: 'input'",
        "CreateRunResponse(run_id='r')",
        "get_run_run__run_id__get 0",
        "<Failure: The server answered with an error (status 503)",
    ),
    "docs/local-server.md": (
        "ended as failed",
        "['failed', 'running']",
        "[('failed', []), ('success', ['cat.mp4'])]",
        "<Failure: The server answered with an error (status 503)",
        "<Failure: Cannot connect: ",
        "run_queue 503 {'deployment_id'",
        "success 3 None ConnectError: ",
        "queued 3 None ConnectError: ",
        "<Success: []>",
    ),
    "docs/keys.md": (
        "created\nrun ",
        "found\n",
        "3 runs ['cats-3', 'cats-of-today', 'cats-of-today']",
        "/inputs/img_",
        "did you mean 'prompt'?",
        "expected 16 to 2048, got 8",
    ),
    "docs/command-line.md": (),
    "docs/limits.md": ("<Failure: The server answered with an error (status 404): Run not found>",),
    "docs/errors.md": (
        "raised 404 Run not found",
        "True False",
        "the server answered 404",
        "<Failure: The server answered with an error (status 404)",
    ),
    "docs/waiting.md": (
        "success ['http",
        "node row ",
        "watched success 1",
        "\n<Success: WorkflowRunModel(",
        "<Failure: The deadline of 1e-06 s passed: ",
    ),
    "docs/testing.md": ("POST /api/run/queue b'{\"deployment_id\":\"d\"}'\n<Success: CreateRunResponse(run_id='r')>",),
    "docs/webhooks.md": ("job-7 r success 1 True\njob-7 r success 1 True",),
}


# What the test files on a page import.
NEEDED = {"README.md": (), "docs/testing.md": ("pytest_httpx", "respx", "vcr")}


def examples(text):
    """Each example with the number of the line before it."""
    return [(text[: found.start()].count("\n") + 1, found[1]) for found in EXAMPLE.finditer(text)]


def example_tests(text):
    """Each example that is a file of tests, by the name of the file."""
    return {name[1]: example for _, example in examples(text) if (name := TEST_FILE.match(example))}


@pytest.fixture
def quiet_logging():
    root, logger = logging.getLogger(), logging.getLogger("comfydeploy")
    level, handlers = logger.level, root.handlers[:]
    yield
    logger.setLevel(level)
    root.handlers[:] = handlers


@pytest.mark.parametrize("page", PAGES)
def test_every_example_runs_and_shows_what_it_says(page, emulator, quiet_logging, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("page")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        for line, example in examples(PAGES[page]):
            if TEST_FILE.match(example):
                continue
            source = "\n" * line + example.replace("http://localhost:3011/api", emulator.url)
            exec(compile(source, page, "exec"), vars(module))
    for core in [value for value in vars(module).values() if isinstance(value, ComfyDeployCore)]:
        core.close()
    for expected in SHOWN[page]:
        assert expected in output.getvalue(), expected


def test_every_link_to_a_file_leads_to_one():
    for page, text in PAGES.items():
        for link in re.findall(r"\]\((?!http|#)([^)#]+)", text):
            assert ((ROOT / page).parent / link).exists(), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_a_page_leads_to_a_heading(page):
    headings = re.findall(r"^#+ (.*)$", PAGES[page], re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGES[page])) <= anchors


def test_pages_with_example_tests():
    assert {page for page, text in PAGES.items() if example_tests(text)} == set(NEEDED)


@pytest.mark.parametrize("page", NEEDED)
def test_example_tests_pass(page, emulator, tmp_path):
    for package in NEEDED[page]:
        pytest.importorskip(package)
    count = 0
    for name, example in example_tests(PAGES[page]).items():
        (tmp_path / name).write_text(example.replace("http://localhost:3011/api", emulator.url))
        count += example.count("\ndef test_")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{count} passed" in done.stdout, done.stdout


def test_packages_are_installed_from_the_checkout():
    # The public index has another package of this name, which the README warns of once.
    for page, text in PAGES.items():
        for shown in re.findall(r"^pip install (\S+)", text, re.MULTILINE):
            assert re.fullmatch(r"\.|'\.\[\w+\]'", shown), f"{page}: {shown}"
    assert "there `pip install comfydeploy` installs the vendor's abandoned SDK" in README


def test_the_commands_and_options_that_are_shown_exist():
    commands = {name: comfydeploy.get_command(None, name) for name in comfydeploy.list_commands(None)}
    shown = re.findall(rf"\bcomfydeploy ({'|'.join(commands)})\b([^`\n|]*)", "\n".join(PAGES.values()))
    assert {name for name, _ in shown} == set(commands)
    for name, arguments in shown:
        known = {"--help"}.union(*(one.opts for one in commands[name].params))
        assert set(re.findall(r"--[\w-]+", arguments)) <= known


def test_the_table_of_quirks_is_the_code():
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| ([^|]*?) ?\|$", PAGES["docs/local-server.md"], re.MULTILINE)
    assert [row for row in rows if row[0] in set(Quirk)] == [
        (quirk, quirk.explanation, quirk.trigger) for quirk in Quirk
    ]


def test_no_page_unwraps_by_the_method():
    for page, text in PAGES.items():
        assert ".unwrap()" not in "".join(example for _, example in examples(text)), page


def test_the_table_of_operations_is_the_code():
    rows = set(re.findall(r"^\| `(\w+)` \| `client", README, re.MULTILINE))
    assert rows == {module.name for module in pkgutil.iter_modules(funcs.__path__)}
