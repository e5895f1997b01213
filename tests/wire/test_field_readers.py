"""Compiled readers read fitting values as the rules do, and leave other values to them."""

import importlib
import json
import pkgutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import pytest
from attrs import Factory, field, fields, frozen, has
from hypothesis import given, settings
from hypothesis import strategies as st

from comfydeploy import models
from comfydeploy._wire.codec import read
from comfydeploy._wire.constructors import maker
from comfydeploy._wire.field_readers import reader
from comfydeploy._wire.field_types import Misfit, plain_kinds
from comfydeploy._wire.structure import converter
from comfydeploy.models import EventUpdate, EventUpdateEvent, LogUpdateEvent, MediaItem, WorkflowRunModel
from comfydeploy.models.document import Document
from comfydeploy.result import Success

MODELS = sorted(
    {
        one
        for module in pkgutil.iter_modules(models.__path__)
        for one in vars(importlib.import_module(f"comfydeploy.models.{module.name}")).values()
        if has(one) and one.__module__.startswith("comfydeploy.models") and not one.__name__.startswith("_")
    },
    key=lambda model: model.__name__,
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["2026-03-14T09:26:53Z", "2026-03-14", "1.5"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["url", "type", "filename", "id", "run_id", "x"]), inner, max_size=6)
    ),
    max_leaves=10,
)
KINDS = [
    Any,
    str,
    int,
    float | None,
    bool | None,
    Literal["a", "b"] | str,
    datetime | None,
    float | str | None,
    MediaItem | Any,
    list[MediaItem | Any] | Any,
    list[str],
    Sequence[str] | None,
    dict[str, list[MediaItem | Any] | Any],
    Mapping[str, Any] | None,
    Mapping[str, Sequence[Any]] | None,
    list[dict[str, float | None]],
]


@pytest.fixture(autouse=True)
def _compiled_anew():
    """Compile the readers in each test, so that it does not depend on the others."""
    reader.cache_clear()
    plain_kinds.cache_clear()


def compared(value):
    """Return a model with its types and ``raw``, in a form in which ``1`` is not ``True``."""
    if has(type(value)):
        return type(value), {one.name: compared(getattr(value, one.name)) for one in fields(type(value))}
    if isinstance(value, Mapping):
        return type(value), {key: compared(item) for key, item in value.items()}
    if isinstance(value, list):
        return [compared(item) for item in value]
    return type(value), value


def agree(kind, value):
    """Return whether a value was read without the rules; check that the rules give the same model."""
    try:
        found = reader(kind)(value)
    except (Misfit, KeyError):
        return False
    assert compared(found) == compared(converter().structure(value, kind))
    return True


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(deadline=None)  # the first one writes the functions
@given(value=VALUES)
def test_reader_equals_rules(kind, value):
    agree(kind, value)


MOMENT, ITEM = "2026-03-14T09:26:53Z", {"url": "u", "type": "output", "filename": "f"}


@pytest.mark.parametrize(
    ("kind", "fitting", "others"),
    [
        (Any, [5, None, {"x": [1]}], []),
        (str, [""], [5, None, ["a"]]),
        (int, [0, 10**30], [True, 1.5, "1", None]),
        (float | None, [1.5, 5, None], [True, "1.5"]),
        (bool | None, [True, False, None], [0, 1, "true"]),
        (Literal["a", "b"] | str, ["a", "c"], [5, None]),
        (datetime, [MOMENT, None], []),
        (datetime | None, [MOMENT, None, "soon"], []),
        (str | int | float | bool | None, ["a", 5, 1.5, True, None], [[], {}]),
        (float | str | None, ["a", 1.5, 5, None], [True, [], {}]),
        (MediaItem, [ITEM], [None, "x", [], {"type": "output"}]),
        (MediaItem | None, [ITEM, None], ["x", []]),
        (MediaItem | Any, [ITEM, None, "x", [ITEM]], []),
        (list[MediaItem | Any] | Any, [[ITEM, "x"], "x", None, {}], []),
        (list[str], [[], ["a"]], [None, "a", ("a",), [5], ["a", None]]),
        (Sequence[str] | None, [["a"], None], ["a", [5]]),
        (dict[str, int], [{}, {"a": 1}], [None, [], {"a": "1"}, {5: 1}]),
        (dict[str, list[MediaItem | Any] | Any], [{"a": [ITEM], "b": 5}], [[], None]),
        (Mapping[str, Any] | None, [{"a": 1}, None], [[], {5: 1}]),
        (Mapping[str, Sequence[Any]] | None, [{"a": [1]}], [{"a": "b"}]),
        (list[dict[str, float | None]], [[{"a": 1}, {"b": None}]], [[{"a": "x"}], {}]),
        # What has no shape of these is left to the rules.
        (set[str], [], [[], {}]),
        (str | list[str], [], ["a", ["a"]]),
        (dict[str, str] | list[str] | None, [], [{}, None]),
        (dict[int, str], [], [{}, {1: "a"}]),
        (tuple[str, int], [], [{}, {"a": 1}, ["a", 1]]),
    ],
    ids=str,
)
def test_fitting_values_need_no_rules(kind, fitting, others):
    for value in fitting:
        assert agree(kind, value)
    for value in others:
        with pytest.raises((Misfit, KeyError)):
            reader(kind)(value)


@pytest.mark.parametrize("model", MODELS)
@settings(deadline=None, max_examples=settings.default.max_examples // 4)  # there are many models
@given(data=st.data())
def test_model_is_read_as_rules_read_it(model, data):
    names = st.sampled_from([one.name for one in fields(model)] + ["unknown"])
    agree(model, data.draw(st.dictionaries(names, VALUES)))


def test_recorded_answer_needs_no_rules(good_answer):
    if good_answer.reply.content_type != "application/json":
        return
    document = json.loads(good_answer.reply.content)
    kind = {"id": WorkflowRunModel, "run_id": models.CreateRunResponse}
    if isinstance(document, list):
        assert agree(list[models.WorkflowRunOutputModel], document)
    else:
        assert agree(next(kind[key] for key in kind if key in document), document)


@pytest.mark.parametrize(
    "request_",
    [
        {"deployment_id": "d"},
        {"deployment_id": "d", "inputs": {"a": 1}, "flags": ["x"], "batch_input_params": {"a": [1, "b"]}},
    ],
)
def test_usual_request_needs_no_rules(request_):
    assert agree(models.DeploymentRunRequest, request_)


@pytest.mark.parametrize("key", ["unknown", 5])
def test_unknown_keys_are_left_to_rules(key):
    assert not agree(models.DeploymentRunRequest, {"deployment_id": "d", key: 1})


@pytest.mark.parametrize("value", [None, [], "text", {1: 2}])
def test_other_values_are_left_to_rules(value):
    with pytest.raises(Misfit):
        reader(dict[str, int])(value)


def test_field_that_is_missing_has_its_default():
    @frozen(kw_only=True)
    class Thing(Document):
        name: str = "none"
        parts: list[int]

    assert reader(Thing)({"parts": [1]}) == Thing(parts=[1])
    assert reader(Thing)({"parts": [1], "new": 5}).raw == {"parts": [1], "new": 5}
    assert reader(Thing)({"parts": [1], "raw": 5}).raw == {"parts": [1], "raw": 5}
    with pytest.raises(KeyError):
        reader(Thing)({"name": "x"})
    assert reader(WorkflowRunModel)({"id": "r", "status": "x"}).outputs == []


def test_model_of_request_takes_its_fields_only():
    @frozen
    class Thing:
        raw: int
        parts: list[int] = field(factory=list[int])

    assert reader(Thing)({"raw": 5}) == Thing(5, [])
    assert reader(Thing)({"raw": 5, "parts": [1]}) == Thing(5, [1])
    for value in ({"raw": 5, "new": 1}, [], {"raw": "5"}):
        with pytest.raises(Misfit):
            reader(Thing)(value)


def test_default_of_other_fields_is_left_to_rules():
    @frozen
    class Thing:
        size: int
        twice: int = field(default=Factory(lambda self: 2 * self.size, takes_self=True))

    assert read({"size": 5}, Thing, "The answer") == Thing(5, 10)
    assert read({"size": 5, "twice": 1}, Thing, "The answer") == Thing(5, 1)


def test_maker_nests_models():
    inner = [(EventUpdateEvent, "data", {"event": "event_update"}), (Success, "_inner_value", {})]
    made = maker(EventUpdate, "event", "data", "raw", within=inner)("a", 1, {"x": 1})
    assert made == Success(EventUpdateEvent(data=EventUpdate(event="a", data=1)))
    assert made.unwrap().data.raw == {"x": 1}
    assert made != Success(LogUpdateEvent(data=EventUpdate(event="a", data=1)))
