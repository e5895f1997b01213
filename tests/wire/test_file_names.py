"""File names stay in their folder on every system."""

from itertools import islice
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy import errors
from comfydeploy._wire.file_names import candidates, file_names, safe_name, suffix_of
from comfydeploy.models import OutputFile


def name(filename="cat.png", template="{run_id}-{index}{suffix}", run_id="r", **fields):
    return file_names(run_id, [OutputFile(url="", filename=filename, kind="images", **fields)], template)[0]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{run_id}-{index}{suffix}", "r-0.png"),
        ("{filename}", "cat.png"),
        ("{stem}.{kind}.{output_id}.{node_id}", "cat.images.result.9"),
        ("{index:03}{suffix}", "000.png"),
        ("a/../b", "a_.._b"),
        ("..", "file"),
        ("", "file"),
        (".{stem}", "_.cat"),
        ("CON", "_CON"),
        ("nul.{index}", "_nul.0"),
        ("cat. .", "cat"),
        ('a:b*?"<>|\x00\x7f', "a_b________"),
        ("CON .txt", "_CON .txt"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("  a. .", "a"),
        ("Xa.X", "Xa.X"),
        ("\ud800", "_"),
    ],
)
def test_templates(template, expected):
    assert name(template=template, output_id="result", node_id="9") == expected


@pytest.mark.parametrize("template", ["{nothing}", "{", "{0}", "{index.x}", "{index:q}"])
def test_wrong_templates(template):
    with pytest.raises(errors.SDKValidationError, match=r"^name: cannot be filled in: .*Error: ") as caught:
        name(template=template)
    assert str(caught.value).endswith("(known: run_id, index, suffix, filename, stem, kind, output_id, node_id)")
    assert caught.value.raw_value == template


@pytest.mark.parametrize("template", [None, 5])
def test_template_must_be_text(template):
    with pytest.raises(errors.SDKValidationError, match=r"^name: expected a template as a string, got "):
        file_names("r", [], template)


@pytest.mark.parametrize("filename", ["../../etc/passwd", "..\\..\\cat.png", "/etc/passwd", "a/b.png"])
def test_no_traversal(filename):
    assert name(filename, "{filename}") == filename.replace("\\", "/").rpartition("/")[2]
    assert "/" not in name(filename, "{filename}")
    assert "\\" not in name(filename, "{filename}")


def test_long_names_keep_their_suffix():
    assert name("ü" * 300 + ".png", "{filename}") == "ü" * 98 + ".png"
    assert name("x." + "y" * 300, "{filename}") == "x." + "y" * 198
    assert name("cat.png", "{suffix}" + "x" * 300) == "_.png" + "x" * 196


@given(st.text(), st.text(), st.sampled_from(["{filename}", "{run_id}", "{run_id}{suffix}", "{stem}"]))
def test_any_text_is_one_safe_segment(filename, run_id, template):
    made = name(filename, template, run_id)
    assert PurePosixPath(made).name == made == PureWindowsPath(made).name
    assert not made.startswith(".")
    assert len(made.encode()) <= 201


def test_missing_ids_are_empty():
    assert name(template="{output_id}{node_id}x") == "x"


@pytest.mark.parametrize(
    "word", ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)
def test_devices_of_windows_are_no_names(word):
    assert [name(template=text) for text in (word, word.upper(), f"{word}x", f"{word}0")] == [
        f"_{word}",
        f"_{word.upper()}",
        f"{word}x",
        f"{word}0",
    ]


def test_unsafe_characters():
    kept = {chr(number) for number in range(0x100) if safe_name(f"a{chr(number)}b", "") == f"a{chr(number)}b"}
    assert {chr(number) for number in range(0x100)} - kept == {*map(chr, range(0x20)), "\x7f", *'/\\:*?"<>|'}


def test_longest_names():
    assert name("x" * 196 + ".png", "{filename}") == "x" * 196 + ".png"
    assert name("x" * 197 + ".png", "{filename}") == "x" * 196 + ".png"
    assert name("x" * 201, "{filename}") == "x" * 200


@pytest.mark.parametrize(
    ("filename", "suffix"),
    [("a." + "x" * 19, "." + "x" * 19), ("a." + "x" * 20, ""), ("a", ""), ("a.\ud800", ".\ud800"), ("a.b.c", ".c")],
)
def test_longest_suffix(filename, suffix):
    assert suffix_of(OutputFile(url="", filename=filename, kind="images")) == suffix


def test_candidates():
    assert list(islice(candidates("cat.png"), 3)) == ["cat.png", "cat-2.png", "cat-3.png"]
