"""The paths of the files of jobs."""

import re
from io import BytesIO
from pathlib import Path

import pytest

from comfydeploy._mapping.patterns import checked_pattern
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import OutputFile

PNG = OutputFile(url="", filename="ComfyUI_1.png", kind="images", output_id="out", node_id="9")
TWO = [PNG, OutputFile(url="", filename="b.mp4", kind="gifs")]


def named(name):
    """Return a file in memory that has a name."""
    file = BytesIO(b"x")
    file.name = name
    return file


def paths(to, inputs=None, files=(PNG,), key="k"):
    return [str(path) for path in checked_pattern(to).paths(key, inputs or {}, "run", 2, list(files))]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("out", ["out/k.png"]),
        ("out/", ["out/k.png"]),
        (Path("out"), ["out/k.png"]),
        (".", ["k.png"]),
        ("{key}{suffix}", ["k.png"]),
        ("/a/{prompt}/{seed:05}{suffix}", ["/a/a cat/00007.png"]),
        ("a/{stem}-{kind}-{output_id}-{node_id}-{index}-{run_id}-{attempt}.x", ["a/ComfyUI_1-images-out-9-0-run-2.x"]),
        ("{filename}", ["ComfyUI_1.png"]),
        ("{{x}}/{seed}", ["{x}/7"]),
        ("/{key}", ["/k"]),
        ("{key}/", ["k"]),
        ("a}/b", ["a}/b/k.png"]),  # a folder before the first field is literal
        ("{X}", ["1"]),
    ],
)
def test_names(to, expected):
    assert paths(to, {"prompt": "a cat", "seed": 7, "X": 1}) == expected


def test_names_of_files_without_ids():
    file = OutputFile(url="", filename="sub\\b.mp4", kind="gifs")
    assert paths("{stem}-{output_id}-{node_id}-{filename}", files=[file]) == ["b---b.mp4"]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("out", ["out/k-0.png", "out/k-1.mp4"]),
        ("{key}.bin", ["k-0.bin", "k-1.bin"]),
        ("{key}", ["k-0", "k-1"]),
        ("{index}{suffix}", ["0.png", "1.mp4"]),
    ],
)
def test_several_files_get_numbers(to, expected):
    assert paths(to, files=TWO) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("../../etc/passwd", "_.._.._etc_passwd.png"),
        ("a/b\\c:d*e", "a_b_c_d_e.png"),
        ("con", "_con.png"),
        ("tail. ", "tail. .png"),
        ("\ud800", "_.png"),
        ("", "_.png"),
        (True, "True.png"),
        ([1, 2], "[1, 2].png"),
        (Path("in/cat.jpg"), "cat.png"),
        (("dog.jpg", b"x"), "dog.png"),
        (named("in/cow.jpg"), "cow.png"),
        (named("in\\cow.jpg"), "cow.png"),
    ],
)
def test_values_are_made_safe(value, expected):
    (path,) = paths("{prompt}{suffix}", {"prompt": value})
    assert "/" not in path
    assert path == expected


def test_long_values_stay_different():
    one, two = ("x" * 300 + end for end in "ab")
    names = [paths("{prompt}-{seed}{suffix}", {"prompt": prompt, "seed": 7})[0] for prompt in (one, two)]
    assert names[0] != names[1]
    assert all(name.endswith("-7.png") and len(name.encode()) <= 200 for name in names)
    many = paths("{prompt}{prompt}{prompt}{suffix}", {"prompt": one})[0]
    assert len(many.encode()) <= 200
    assert many.endswith(".png")
    assert len(paths("{prompt}/a", {"prompt": "ü" * 300})[0].split("/")[0].encode()) <= 200


@pytest.mark.parametrize(("size", "expected"), [(100, "x" * 100), (101, "x" * 91 + "~c675a2e6")])
def test_values_take_at_most_100_bytes(size, expected):
    """A rerun has the same names, with another version of this package too."""
    assert paths("{prompt}", {"prompt": "x" * size}) == [expected]


def test_a_long_name_ends_with_its_digest():
    (name,) = paths("{prompt}{prompt}{prompt}{suffix}", {"prompt": "x" * 90})
    assert len(name) == 200
    assert re.fullmatch(r"x{187}~[0-9a-f]{8}\.png", name)


@pytest.mark.parametrize(
    "name", ["suffix", "filename", "stem", "kind", "output_id", "node_id", "index", "attempt"]
)  # and not run_id, which makes the names unique
def test_a_place_leaves_out_what_a_run_has(name):
    assert checked_pattern(f"{{key}}/{{prompt}}{{{name}:d}}").place("K", {"prompt": "a"}) == "k/a"


def test_an_empty_input_is_formatted():
    assert paths("{prompt:_<3}", {"prompt": ""}) == ["___"]


def test_places_find_jobs_with_the_same_files():
    pattern = checked_pattern("out/{Prompt}{suffix}")
    assert pattern.place("k", {"Prompt": "A/b"}) == pattern.place("l", {"Prompt": "a_B"})
    assert pattern.place("k", {"Prompt": "a"}) != pattern.place("k", {"Prompt": "b"})
    assert checked_pattern("{run_id}").place("k", {}) is None


@pytest.mark.parametrize("to", ["{", "{}", "{a.b}", "{a[0]}", "{a!r}", "{a:{b}}", "", "a\0", "out}", 3, b"x"])
def test_what_is_no_pattern(to):
    with pytest.raises(SDKValidationError, match=r"^to: "):
        checked_pattern(to)


@pytest.mark.parametrize(
    ("to", "said"), [("{seed}{suffix}", "no 'seed' (known: "), ("{prompt:05d}", "cannot be filled in")]
)
def test_what_cannot_be_filled_in(to, said):
    with pytest.raises(SDKValidationError) as caught:
        checked_pattern(to).place("k", {"prompt": "a cat"})
    assert caught.value.message.startswith("to: ")
    assert said in caught.value.message


def test_a_path_of_this_system():
    assert paths(Path("a") / "b" / "{key}{suffix}") == ["a/b/k.png"]
