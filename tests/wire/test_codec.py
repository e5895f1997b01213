"""JSON is written unchanged, and unserializable values are named by their path."""

import json
from collections import OrderedDict, UserDict
from enum import IntEnum, StrEnum
from io import BytesIO
from types import MappingProxyType

import pytest
from attrs import frozen
from hypothesis import given as for_all
from hypothesis import strategies as st

from comfydeploy._wire import field_readers
from comfydeploy._wire.codec import given, json_bytes, read, read_list
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.models import WorkflowRunOutputModel

TEXT = st.text(st.characters(codec=None, exclude_categories=[]))  # including lone surrogates
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


class Word(StrEnum):
    HELLO = "hello"


class Number(IntEnum):
    SEVEN = 7


def refusal(value):
    with pytest.raises(SDKValidationError) as caught:
        json_bytes(value, "request")
    assert caught.value.raw_value is value
    (problem,) = caught.value.problems
    assert str(caught.value) == f"request: {problem.path}: {problem.reason}"
    return problem


@for_all(value=JSON)
def test_every_json_value_comes_out_as_it_went_in(value):
    assert json.loads(json_bytes(value, "request")) == value


@for_all(value=JSON)
def test_json_is_ascii(value):
    assert json_bytes(value, "request").isascii()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"seed": 2**64 + 1}, b'{"seed":18446744073709551617}'),
        ({"a": {"b": None}, "c": [None]}, b'{"a":{"b":null},"c":[null]}'),
        ({"a": 1.0, "b": 1e22}, b'{"a":1.0,"b":1e+22}'),
        ({"a": "\ud800é"}, b'{"a":"\\ud800\\u00e9"}'),
        ((1, (2,)), b"[1,[2]]"),
        ({"word": Word.HELLO, "number": Number.SEVEN}, b'{"word":"hello","number":7}'),
        (MappingProxyType({"a": UserDict(b=OrderedDict(c=1))}), b'{"a":{"b":{"c":1}}}'),
        ({1: 2, 1.5: 3, None: 4, False: 5}, b'{"1":2,"1.5":3,"null":4,"false":5}'),
    ],
)
def test_values_are_sent_unchanged(value, text):
    assert json_bytes(value, "request") == text


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"inputs": {"a": [1, float("nan")]}}, "$.inputs.a[1]", "nan is not JSON serializable"),
        ({"inputs": {"a": float("-inf")}}, "$.inputs.a", "-inf is not JSON serializable"),
        ({"a": {1, 2}}, "$.a", "set is not JSON serializable"),
        ({"a": [{"b": b"x"}]}, "$.a[0].b", "bytes is not JSON serializable: upload files with inputs_upload"),
        ({"a": ("a.png", b"")}, "$.a[1]", "bytes is not JSON serializable: upload files with inputs_upload"),
        ({"a": BytesIO()}, "$.a", "_io.BytesIO is not JSON serializable: upload files with inputs_upload"),
        ({"a": (0, range(3))}, "$.a[1]", "range is not JSON serializable"),
        ({"a": MappingProxyType({"b": object()})}, "$.a.b", "object is not JSON serializable"),
        ({"a": {b"key": 1}}, "$.a", "a key must be a string, got bytes"),
        ({"a": {(1, 2): 1}}, "$.a", "a key must be a string, got tuple"),
        ({"first": 1, "a": {2, 1}, "b": {1}}, "$.a", "set is not JSON serializable"),
        ({"a": 10**5000}, "$.a", "int is not JSON serializable"),
        (object(), "$", "object is not JSON serializable"),
        ({"a": type("bool", (), {"__module__": "numpy"})()}, "$.a", "numpy.bool is not JSON serializable"),
    ],
)
def test_first_unserializable_value_is_named(value, path, reason):
    assert refusal(value) == Problem(path, reason)


def test_problems_after_third_are_counted():
    with pytest.raises(SDKValidationError) as caught:
        read(["a", "b", "c"], list[int], "The answer")
    assert str(caught.value).endswith("$[2]: expected an integer, got str")
    with pytest.raises(SDKValidationError, match=r"got str \(and 2 more\)$"):
        read(["a"] * 5, list[int], "The answer")


def test_value_in_itself_is_named_by_its_path():
    loop = {"a": [1]}
    loop["a"].append({"b": loop})
    assert refusal(loop) == Problem("$.a[1].b", "contains itself")


def test_mapping_in_itself_is_named_by_its_path():
    loop = UserDict()
    loop["a"] = loop
    assert refusal(loop) == Problem("$.a", "contains itself")


def test_same_value_in_two_places_is_no_loop():
    twice = [1]
    assert json_bytes({"a": twice, "b": twice}, "request") == b'{"a":[1],"b":[1]}'


def test_same_value_twice_hides_no_later_one():
    twice = [1]
    assert refusal({"a": twice, "b": twice, "c": {1}}).path == "$.c"


def test_list_skips_unreadable_items():
    found = read_list([{"id": "o", "run_id": "r"}, 5, {}], WorkflowRunOutputModel, "The answer")
    assert [output.id for output in found] == ["o"]
    assert found.raw == [{"id": "o", "run_id": "r"}, 5, {}]
    nothing = read_list(None, WorkflowRunOutputModel, "The answer")
    assert (nothing, nothing.raw) == ([], ())
    assert read_list([], WorkflowRunOutputModel, "The answer").raw == []


@pytest.mark.parametrize(("value", "path"), [({}, "$"), ([{}, 5], "$[0].id"), ("x", "$"), (5, "$")])
def test_list_in_which_nothing_fits_is_error(value, path):
    with pytest.raises(SDKValidationError) as caught:
        read_list(value, WorkflowRunOutputModel, "The answer")
    assert (caught.value.problems[0].path, caught.value.raw_value) == (path, value)


def nested(depth, inner=1):
    for _ in range(depth):
        inner = [inner]
    return inner


def test_too_deep_nesting_is_refused():
    assert refusal(nested(100_000)) == Problem("$", "nested too deeply")


def test_unserializable_value_is_found_deeply():
    assert refusal(nested(150, float("nan"))).path == "$" + "[0]" * 150


def test_deep_unserializable_value_is_named():
    assert refusal(nested(300, float("nan"))).reason == "nan is not JSON serializable"


def test_deep_unserializable_key_is_named():
    assert refusal({"a": {float("nan"): 1}}).path.startswith("$.a")


def test_message_has_first_three_problems():
    with pytest.raises(SDKValidationError) as caught:
        read(["a", 1, "b", "c", "d"], list[int], "The answer")
    error = caught.value
    assert str(error) == (
        "The answer: $[0]: expected an integer, got str; $[2]: expected an integer, got str; "
        "$[3]: expected an integer, got str (and 1 more)"
    )
    assert [problem.path for problem in error.problems] == ["$[0]", "$[2]", "$[3]", "$[4]"]
    assert error.raw_value == ["a", 1, "b", "c", "d"]
    assert (error.__cause__, error.__suppress_context__) == (None, True)


def test_memory_error_passes_through():
    class Full(UserDict):
        def __iter__(self):
            raise MemoryError

    with pytest.raises(MemoryError):
        read(Full(a=1), dict[str, int], "The answer")


def test_raising_value_is_error():
    class Broken(UserDict):
        def items(self):
            raise RuntimeError("broken")

    with pytest.raises(SDKValidationError, match="broken"):
        read(Broken(a=1), dict[str, int], "The answer")


def test_objects_and_arrays_are_distinguished():
    assert [is_object(value) for value in ({}, UserDict(), [], "", None)] == [True, True, False, False, False]
    assert [is_array(value) for value in ([], (), "", b"", {}, range(2))] == [True, True, False, False, False, False]


def test_missing_fields_are_omitted():
    @frozen
    class Model:
        a: object = None
        b: object = None
        c: object = None

    inner = {"x": None}
    assert given(Model(a=inner, c=False)) == {"a": {"x": None}, "c": False}
    assert given(Model(a=inner))["a"] is inner


def test_lack_of_memory_passes_through(monkeypatch):
    def fail(_):
        raise MemoryError

    monkeypatch.setattr(field_readers, "reader", lambda _: fail)
    with pytest.raises(MemoryError):
        read({}, dict[str, int], "request")
