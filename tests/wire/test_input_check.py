"""Inputs against the inputs of a deployment: every problem is named, and accepted values pass."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.input_check import takes_files, takes_several
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.inputs import inputs_check
from comfydeploy.models import DeploymentInput, DeploymentModel
from comfydeploy.result import Failure, Success


def one(name, kind=None, **more):
    return DeploymentInput(input_id=name, type=kind, **more)


DEPLOYMENT = DeploymentModel(
    id="d",
    input_types=[
        one("prompt", "string", class_type="ComfyUIDeployExternalText"),
        one("width", "integer", min_value=16, max_value=2048),
        one("steps", "integer", min_value="1", max_value=""),
        one("cfg", "float - (slider input with min and max values)", max_value=30),
        one("upscale", "boolean - (switch input for true/false)"),
        one("sampler", "string", enum_options=["euler", "ddim"]),
        one("image", "string - (public image url)"),
        one("alpha", "string", class_type="ComfyUIDeployExternalImageAlpha"),
        one("batch", "array of image urls"),
        one("frames", "string", class_type="ComfyUIDeployExternalImageBatch"),
        one("new", "a kind of tomorrow"),
        one("bare"),
    ],
)
GOOD = {
    "prompt": "a cat",
    "width": 16,
    "steps": 999,
    "cfg": 7,
    "upscale": False,
    "sampler": "ddim",
    "image": "https://x/a.png",
    "alpha": ("a.png", b""),
    "batch": '["https://x"]',
    "frames": [Path("a.png"), "https://x"],
    "new": [1],
    "bare": 1.5,
    "comfydeploy_key": "k",
}
BAD = [
    ("promt", "x", "the deployment has no such input; did you mean 'prompt'?"),
    ("zzz", 1, "the deployment has no such input; it has prompt, width, steps, cfg, upscale, sampler, image"),
    ("prompt", 5, "expected a string, got 5"),
    ("prompt", Path("a.png"), "expected a string, got "),
    ("prompt", None, "expected a string, got null"),
    ("width", "512", "expected an integer, got '512'"),
    ("width", 5.0, "expected an integer, got 5.0"),
    ("width", True, "expected an integer, got True"),
    ("width", 8, "expected 16 to 2048, got 8"),
    ("width", 4096, "expected 16 to 2048, got 4096"),
    ("steps", 0, "expected at least 1, got 0"),
    ("cfg", 31.5, "expected at most 30, got 31.5"),
    ("cfg", "x" * 200, "expected a number, got '" + "x" * 79 + "..."),
    ("cfg", False, "expected a number, got False"),
    ("upscale", 1, "expected true or false, got 1"),
    ("sampler", "eular", "expected one of 'euler', 'ddim', got 'eular'"),
    ("image", 5, "expected a string, got 5"),
    ("batch", ["https://x"], "expected a JSON list as text, or a list of files for inputs_upload, got list"),
    ("batch", "https://x", "expected a JSON list as text"),
    ("frames", '{"a": 1}', "expected a JSON list as text"),
    ("frames", "[" * 100_000, "expected a JSON list as text"),
    ("new", None, "expected a string, a number, true, false or a list, got null"),
    ("bare", {"a": 1}, "expected a string, a number, true, false or a list, got dict"),
    ("comfydeploy_key", None, "expected a string, a number, true, false or a list, got null"),
]


def test_good_inputs_pass():
    assert inputs_check(DEPLOYMENT, GOOD) == Success(GOOD)
    assert inputs_check(DEPLOYMENT, {}) == Success({})


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_bad_input_is_named(name, value, reason):
    error = inputs_check(DEPLOYMENT, {**GOOD, name: value}).failure()
    (problem,) = error.problems
    assert problem.path == f"$.inputs.{name}"
    assert problem.reason.startswith(reason)
    assert str(error).startswith(f"inputs: $.inputs.{name}: {reason}")


def reason_of(value, kind=None, **more):
    """Return why a value does not fit an input, or ``None`` where it does."""
    deployment = DeploymentModel(id="d", input_types=[one("x", kind, **more)])
    match inputs_check(deployment, {"x": value}):
        case Success():
            return None
        case Failure(error):
            return error.problems[0].reason


@pytest.mark.parametrize(
    ("kinds", "accepted", "refused", "expected"),
    [
        (["string", "STRING", "string - (a text)"], ["", "5"], [5, 1.5, True, None, ["a"], {}], "a string"),
        (["integer", "int", "INT"], [0, -5, 10**30], ["5", 5.0, True, None, [5], {}], "an integer"),
        (["float", "number", "Float"], [0, 1.5, -2.0], ["5", False, None, [5], {}], "a number"),
        (["boolean", "Boolean"], [True, False], ["true", 0, 1, None, [True], {}], "true or false"),
        (
            ["array of urls", "Array"],
            ["[]", '["a"]', [Path("a.png")]],
            ["a", "{}", 5, ["a"], []],
            "a JSON list as text",
        ),
        ([None, "", "anything"], ["", 5, 1.5, True, [None], ("a",), Path("a")], [None, {}], "a string, a number, true"),
    ],
)
def test_values_of_each_type(kinds, accepted, refused, expected):
    for kind in kinds:
        assert [reason_of(value, kind) for value in accepted] == [None] * len(accepted)
        assert all(reason_of(value, kind).startswith(f"expected {expected}") for value in refused)


@pytest.mark.parametrize("word", ["Image", "Video", "Audio", "EXR"])
def test_files_are_accepted_for_media(word):
    assert reason_of(Path("a"), "string", class_type=f"ComfyUIDeployExternal{word}") is None
    assert reason_of(Path("a"), "string", class_type=f"ComfyUIDeployExternal{word.swapcase()}") is not None


def test_files_are_accepted_for_addresses():
    assert reason_of(Path("a"), "string - (public image URL)") is None
    assert reason_of(Path("a"), "string") == f"expected a string, got {type(Path()).__name__}"


@pytest.mark.parametrize(
    ("kind", "class_type", "files", "several"),
    [
        (None, None, True, False),
        ("a kind of tomorrow", None, True, False),
        ("string", None, False, False),
        ("integer", None, False, False),
        ("STRING - (URL)", None, True, False),
        ("string", "ComfyUIDeployExternalVideo", True, False),
        ("Array of numbers", None, False, True),
        ("string", "ComfyUIDeployExternalImageBatch", True, True),
        (None, "ComfyUIDeployExternalImageBatch", True, True),
    ],
)
def test_inputs_that_take_files(kind, class_type, files, several):
    found = one("x", kind, class_type=class_type)
    assert (takes_files(found), takes_several(found)) == (files, several)


@pytest.mark.parametrize(
    ("low", "high", "accepted", "refused"),
    [
        (2, 4, [2, 3, 4], {1: "expected 2 to 4, got 1", 5: "expected 2 to 4, got 5"}),
        ("2.5", None, [2.5, 9], {2: "expected at least 2.5, got 2"}),
        (None, "4", [4, -9], {5: "expected at most 4, got 5"}),
        (0, 0, [0], {1: "expected 0 to 0, got 1", -1: "expected 0 to 0, got -1"}),
        ("", "many", [-9, 9], {}),
    ],
)
@pytest.mark.parametrize("kind", ["integer", "float"])
def test_ends_of_range_are_accepted(kind, low, high, accepted, refused):
    limits = {"min_value": low, "max_value": high}
    assert {reason_of(value, "float", **limits) for value in accepted} == {None}
    assert {value: reason_of(value, kind, **limits) for value in refused} == refused


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 78, f"'{'x' * 78}'"),
        ("x" * 79, f"'{'x' * 79}..."),
        (None, "null"),
        (1.5, "1.5"),
        ([1], "list"),
        (b"x", "bytes"),
    ],
)
def test_value_is_shown_shortly(value, shown):
    assert reason_of(value, "boolean") == f"expected true or false, got {shown}"


def test_reserved_names_pass():
    assert inputs_check(DEPLOYMENT, {"comfydeploy_other": 1}) == Success({"comfydeploy_other": 1})
    assert inputs_check(DEPLOYMENT, {"comfydeploy": 1, "x_comfydeploy_": 1}).failure().problems[1].path.endswith("_")


def test_all_problems_are_one_error():
    bad = {"width": 8, "promt": "x", "upscale": "yes"}
    error = inputs_check(DEPLOYMENT, bad).failure()
    assert isinstance(error, SDKValidationError)
    assert [problem.path for problem in error.problems] == ["$.inputs.width", "$.inputs.promt", "$.inputs.upscale"]
    assert (error.fate, error.raw_value) == ("not_sent", bad)


def test_deployment_without_inputs_has_none():
    bare = DeploymentModel(id="d", raw={"input_types": []})
    assert inputs_check(bare, {"a": 1}).failure().problems == (
        Problem("$.inputs.a", "the deployment has no such input; it has none"),
    )


def test_deployment_without_listed_inputs():
    bare = DeploymentModel(id="d")
    assert inputs_check(bare, {"a": 1}) == Success({"a": 1})
    assert inputs_check(bare, {"a": None}).failure().problems[0].path == "$.inputs.a"


class Evil(dict):
    def items(self):
        raise LookupError


class Full(dict):
    def items(self):
        raise MemoryError


@pytest.mark.parametrize(
    ("deployment", "inputs", "path", "reason"),
    [
        (None, {}, "$", "expected a DeploymentModel to check against, got NoneType"),
        ("d", {}, "$", "expected a DeploymentModel to check against, got str"),
        (DEPLOYMENT, None, "$.inputs", "expected a mapping, got NoneType"),
        (DEPLOYMENT, [], "$.inputs", "expected a mapping, got list"),
    ],
)
def test_strange_arguments_are_named(deployment, inputs, path, reason):
    error = inputs_check(deployment, inputs).failure()
    assert (error.problems, error.message) == ((Problem(path, reason),), f"inputs: {path}: {reason}")


def test_strange_mappings_are_failures():
    assert str(inputs_check(DEPLOYMENT, Evil()).failure()) == "inputs: cannot be read: LookupError"
    assert len(inputs_check(DEPLOYMENT, {5: 6}).failure().problems) == 1
    with pytest.raises(MemoryError):
        inputs_check(DEPLOYMENT, Full())


NAMES = st.sampled_from([kind.input_id for kind in DEPLOYMENT.input_types]) | st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_accepted_inputs_are_known_and_sendable(inputs):
    result = inputs_check(DEPLOYMENT, inputs)
    if isinstance(result, Success):
        assert set(inputs) <= {kind.input_id for kind in DEPLOYMENT.input_types}
        assert json.dumps(inputs)
