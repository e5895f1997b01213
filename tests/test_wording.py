"""The check of wording finds samples of what it bans, and nothing else."""

import importlib.util
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parent.parent / ".ci" / "wording.py"


@pytest.fixture(scope="module")
def wording():
    spec = importlib.util.spec_from_file_location("wording", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["wording"] = module  # where `NamedTuple` looks its annotations up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["wording"]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('"""Give the core."""', "Give"),
        ('class A:\n    """Tells the time."""', "Tells"),
        ('async def f():\n    """Return what the server told."""', "told"),
        ("x = 1  # nobody reads it", "nobody"),
        ('raise E(f"{name} was asked twice")', "asked"),
        ("wanted = 1", "wanted"),
        ("untidy_told_names = 1", "told"),
        ('x = """waits\n\nfor ever"""', "for ever"),
        (f"def test_{'x' * 41}(): ...", f"test_{'x' * 41}"),
    ],
)
def test_finds_banned_wording(wording, source, word):
    assert next(found.word for found in wording.findings("a.py", source)) == word


@pytest.mark.parametrize(
    "source",
    [
        '"""Return the core."""',
        "import retold",
        f"def test_{'x' * 40}(): ...",
        'x = "Given values, forever"',
    ],
)
def test_passes_plain_wording(wording, source):
    assert not list(wording.findings("a.py", source))


def test_reads_pages_line_by_line(wording):
    (found,) = wording.findings("docs/a.md", "# A page\n\nThe server tells the state.\n")
    assert (found.path, found.line, found.word) == ("docs/a.md", 3, "tells")


def test_exception_applies_to_its_file_only(wording, monkeypatch):
    monkeypatch.setattr(wording, "ALLOWED", {("docs/quotes.md", "told"): "a quotation"})
    assert not list(wording.findings("docs/quotes.md", "told"))
    assert list(wording.findings("docs/quotes.md", "asked"))
    assert list(wording.findings("docs/other.md", "told"))


def test_exit_status_and_output(wording, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("Nobody waits.")
    assert wording.main([str(page)]) == 1
    assert capsys.readouterr().out == f"{page}:1: nobody: Nobody waits.\n1 findings in 1 files\n"
    page.write_text("Nothing waits.")
    assert wording.main([str(page)]) == 0
