"""Every example of the README and of docs/ runs, each page from top to bottom, against the local server."""

import contextlib
import io
import logging
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import types
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from comfydeploy import ComfyDeployCore, funcs
from comfydeploy._cli.commands import comfydeploy
from comfydeploy.emulator import Quirk

EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
TEST_FILE = re.compile(r"# (test_\w+\.py)\n")
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OTHERS = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md")]
PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for page in [ROOT / "README.md", *OTHERS, *sorted((ROOT / "docs").rglob("*.md"))]
}
SHOWN = {
    "README.md": ("[PosixPath('pictures/", "success ['http", "Executing "),
    "docs/local-server.md": (
        "ended as failed",
        "['failed', 'running']",
        "[('failed', []), ('success', ['cat.mp4'])]",
        "<Failure: The server answered with an error (status 503)",
        "<Failure: Cannot connect to http",
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
    "docs/calls.md": (
        "queued ",
        "404 Run not found",
        "3 runs",
        "unknown: 'input'",
        "cd_00001_.png",
    ),
    "docs/celery.md": ("['pictures/",),
    "docs/configuration.md": ("CreateRunResponse(run_id='r')", "get_run_run__run_id__get 0"),
    "docs/django.md": ("202\n200 401 success\n",),
    "docs/fastapi.md": ("202 /pictures/",),
    "docs/files.md": (
        "100%",
        "an image input takes http",
        "all of them <Success: [PosixPath('pictures/",
        "one <Success: cd_00001_.png>",
        "image/png ",
    ),
    "docs/observability.md": ('{"message": "run ', ' was created", "run_id": "', ' is over: success", "run_id": "'),
    "docs/first-picture.md": ("PosixPath('pictures/", "the run failed: "),
    "docs/index.md": ("PosixPath('pictures/",),
    "docs/lambda.md": ("True\n",),
    "docs/operations.md": (
        "b4f8e47e-e77b-5227-a017-693eb36cdd5d [('prompt', ",
        "'success', None)",
        "<Success: ('",
        "\n['success']\n",
        "[('cat.png', 3)]",
    ),
    "docs/overnight.md": ("saved a cat-0.png\n", "saved a lighthouse-0.png\n"),
    "docs/run-may-exist.md": ("run ", "it may be "),
    "docs/scale.md": (
        "success herons/heron-1.png\n",
        "heron-2 <Success: WorkflowRunModel(",
        "heron-3 <Success: WorkflowRunModel(",
        "['herons/heron-4.png']",
    ),
    "docs/streaming.md": ("execution_start\n", "40% Executing ", "log ", "run "),
    "docs/limits.md": ("<Failure: The server answered with an error (status 404): Run not found>",),
    "docs/errors.md": (
        "raised 404 Run not found",
        "True False",
        "the server answered 404",
        "<Failure: The server answered with an error (status 404)",
    ),
    "docs/migrate-fal.md": ("saved [PosixPath('pictures/cat-0.png')]",),
    "docs/migrate-python-sdk.md": ("saved [PosixPath('pictures/",),
    "docs/migrate-replicate.md": ("saved [PosixPath('pictures/cat-0.png')]",),
    "docs/migrate-typescript.md": ("saved <Success: [PosixPath('pictures/",),
    "docs/maps.md": ("heron-0 success herons/heron-0.png\nheron-1 success",),
    "docs/waiting.md": (
        "success ['http",
        "node row ",
        "watched success 1",
        "\n<Success: WorkflowRunModel(",
        "<Failure: The deadline of 1e-06 s passed ",
    ),
    "docs/notebook.md": (
        "success\n",
        "['a cat-0.png']",
        "WorkflowRunModel(id='",
        "files=['cd_00001_.png']",
        "\nsheet.html\n",
    ),
    "docs/testing.md": ("POST /api/run/queue b'{\"deployment_id\":\"d\"}'\n<Success: CreateRunResponse(run_id='r')>",),
    "docs/webhooks.md": (
        "job-7 r success 1 True\njob-7 r success 1 True",
        "stripped <Failure: ",
        "restored <Success: WebhookToken(reference='job-8'",
    ),
}


# The packages beside those of the test group that a page needs, or its test files where it has some: without them they
# are skipped.
NEEDED = {
    "docs/celery.md": ("celery",),
    "docs/django.md": ("django",),
    "docs/observability.md": ("ddtrace", "logfire", "opentelemetry.instrumentation.httpx", "sentry_sdk"),
    "docs/scale.md": ("celery", "distributed"),
    "docs/testing.md": ("pytest_httpx", "respx", "vcr"),
}
# The page whose test files set up objects that exist once in a process.
APART = "docs/observability.md"


def examples(text):
    """Each example with the number of the line before it."""
    return [(text[: found.start()].count("\n") + 1, found[1]) for found in EXAMPLE.finditer(text)]


def programs(text):
    """Each example that is not a test file."""
    return [(line, example) for line, example in examples(text) if not TEST_FILE.match(example)]


def example_tests(text):
    """Each example that is a test file, by its name."""
    return {name[1]: example for _, example in examples(text) if (name := TEST_FILE.match(example))}


def is_runnable(page):
    """Check whether the packages are installed that a page needs."""
    return all(find_spec(package.partition(".")[0]) and find_spec(package) for package in NEEDED.get(page, ()))


@pytest.fixture
def quiet_logging():
    root, logger = logging.getLogger(), logging.getLogger("comfydeploy")
    level, handlers = logger.level, root.handlers[:]
    yield
    logger.setLevel(level)
    root.handlers[:] = handlers


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if programs(text)])
def test_examples_run_and_print_as_shown(page, emulator, quiet_logging, tmp_path, monkeypatch):
    if not (example_tests(PAGES[page]) or is_runnable(page)):
        pytest.skip(f"needs {NEEDED[page]}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMFYDEPLOY_API_KEY", emulator.bearer)
    monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", emulator.url)
    module = types.ModuleType("page")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        for line, example in programs(PAGES[page]):
            source = "\n" * line + example.replace("http://localhost:3011/api", emulator.url)
            exec(compile(source, page, "exec"), vars(module))
    for core in [value for value in vars(module).values() if isinstance(value, ComfyDeployCore)]:
        core.close()
    for expected in SHOWN[page]:
        assert expected in output.getvalue(), expected


@cache
def anchors(path):
    """The anchors of the headings of a page, outside of its examples."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_file_and_heading(page):
    for link, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", PAGES[page]):
        path = (ROOT / page).parent / link if link else ROOT / page
        assert path.exists(), link
        assert not anchor or anchor in anchors(path), f"{link}#{anchor}"


def test_example_tests_pass(emulator, tmp_path):
    pages = {page: tests for page, text in PAGES.items() if (tests := example_tests(text)) and is_runnable(page)}
    apart = pages.pop(APART, {})
    run_tests(pages, emulator, tmp_path / "together")
    for name, example in apart.items():
        run_tests({APART: {name: example}}, emulator, tmp_path / name)


def run_tests(pages, emulator, tmp_path):
    count = 0
    for page, tests in pages.items():
        folder = tmp_path / page
        folder.mkdir(parents=True)
        for name, example in tests.items():
            (folder / name).write_text(example.replace("http://localhost:3011/api", emulator.url))
            count += example.count("\ndef test_")
    # One process for all of them, because it takes seconds to start; files of several pages may have one name.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    command += ["-p", "no:logfire"]  # its plugin would import OpenTelemetry before ddtrace is imported
    settings = os.environ | {"DD_TRACE_OTEL_ENABLED": "true"}
    done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False)
    assert f"{count} passed" in done.stdout, done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_examples_work(emulator):
    commands = re.findall(r"^curl (?:.*\\\n)*.*$", "\n".join(PAGES.values()), re.MULTILINE)
    assert commands
    for command in commands:
        shown = command.replace("http://localhost:3011", emulator.url.removesuffix("/api"))
        done = subprocess.run(f"{shown} --fail --noproxy '*'", shell=True, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    emulator.clear_faults()


@pytest.mark.parametrize("page", PAGES)
def test_every_named_module_exists(page):
    for path in re.findall(r"`((?:[\w.]+/)+[\w]+\.py)`", PAGES[page]):
        assert (ROOT / path).exists() or (ROOT / "comfydeploy" / path).exists(), path


def test_packages_are_installed_from_checkout():
    # The public index has another package of this name, which the README warns of once.
    for page, text in PAGES.items():
        for shown in re.findall(r"^pip install (\S+)", text, re.MULTILINE):
            assert re.fullmatch(r"\.|'\.\[\w+\]'", shown), f"{page}: {shown}"
    assert "there `pip install comfydeploy` installs the vendor's abandoned SDK" in PAGES["README.md"]


def test_first_example_is_file_too():
    assert examples(README)[0][1] in (ROOT / "examples" / "first_picture.py").read_text(encoding="utf-8")


def test_index_has_every_page():
    index, pages = PAGES["docs/index.md"], {Path(page).stem for page in PAGES if re.fullmatch(r"docs/[\w-]+\.md", page)}
    listed = re.findall(
        r"^(?:[^`\n]* <)?([\w-]+)>?$", "".join(re.findall(r"```{toctree}\n.*?```", index, re.DOTALL)), re.MULTILINE
    )
    assert sorted(listed) == sorted(pages - {"index"})
    assert set(re.findall(r"\]\(([\w-]+)\.md\)", index.partition("All pages")[2])) >= pages - {"index"}


def test_readme_is_short():
    assert README.count("\n") <= 220


def test_shown_commands_exist():
    context = click.Context(comfydeploy)
    commands = {name: comfydeploy.get_command(context, name) for name in comfydeploy.list_commands(context)}
    shown = re.findall(rf"\bcomfydeploy ({'|'.join(commands)})\b([^`\n|]*)", "\n".join(PAGES.values()))
    assert {name for name, _ in shown} == set(commands)
    for name, arguments in shown:
        known = {"--help"}.union(*(one.opts for one in commands[name].params))
        assert set(re.findall(r"--[\w-]+", arguments)) <= known


def test_table_of_quirks_is_code():
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| ([^|]*?) ?\|$", PAGES["docs/local-server.md"], re.MULTILINE)
    assert [row for row in rows if row[0] in set(Quirk)] == [
        (quirk, quirk.explanation, quirk.trigger) for quirk in Quirk
    ]


def test_no_page_unwraps_by_method():
    for page, text in PAGES.items():
        assert ".unwrap()" not in "".join(example for _, example in examples(text)), page


def test_table_of_operations_is_code():
    rows = set(re.findall(r"^\| `(\w+)` \| `client", PAGES["docs/operations.md"], re.MULTILINE))
    assert rows == {module.name for module in pkgutil.iter_modules(funcs.__path__)}
