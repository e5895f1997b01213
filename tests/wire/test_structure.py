"""JSON values are read into models: no coercion, no loss, and every problem with its path."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.codec import read
from comfydeploy._wire.structure import converter
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.models import (
    CreateRunResponse,
    DeploymentModel,
    DeploymentRunRequest,
    MediaItem,
    NativeRun,
    ValidationError,
    WorkflowRunModel,
    WorkflowRunOutputModel,
    WorkflowRunWebhookBody,
)
from comfydeploy.models.document import Document
from comfydeploy.models.run_row import WorkflowRunRow

RUN = {"id": "r", "status": "running"}
NATIVE = {"prompt_id": "r", "cd_token": "hunter2222"}
OUTPUT = {"id": "o", "run_id": "r", "data": {}}
FILE = {"url": "https://f", "type": "output", "filename": "f.png"}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def run(**fields):
    return read(RUN | fields, WorkflowRunModel, "The answer")


def output(**fields):
    return read(OUTPUT | fields, WorkflowRunOutputModel, "The answer")


def misfits(value, model):
    with pytest.raises(SDKValidationError) as caught:
        read(value, model, "The answer")
    return list(caught.value.problems)


MISFITS = [
    (str, None, "expected a string, got null"),
    (str, 5, "expected a string, got int"),
    (str, b"a", "expected a string, got bytes"),
    (int, 3.9, "expected an integer, got float"),
    (int, 3.0, "expected an integer, got float"),
    (int, "3", "expected an integer, got str"),
    (int, True, "expected an integer, got bool"),
    (int, None, "expected an integer, got null"),
    (float, True, "expected a number, got bool"),
    (float, "1.5", "expected a number, got str"),
    (float, None, "expected a number, got null"),
    (bool, 1, "expected true or false, got int"),
    (bool, "true", "expected true or false, got str"),
    (bool, None, "expected true or false, got null"),
    (list[int], {}, "expected a list, got dict"),
    (list[int], "12", "expected a list, got str"),
    (Sequence[str], "ab", "expected a list, got str"),
    (Sequence[int], b"ab", "expected a list, got bytes"),
    (Sequence[int], None, "expected a list, got null"),
    (Mapping[str, int], [], "expected an object, got list"),
    (Mapping[str, int], None, "expected an object, got null"),
    (MediaItem, None, "expected an object, got null"),
    (MediaItem, [], "expected an object, got list"),
]
FITTING = [
    (str, ""),
    (int, 2**70),
    (float, 3),
    (float, 3.5),
    (bool, False),
    (str | None, None),
    (float | None, 3),
    (list[str | int], ["a", 1]),
    (Sequence[int], [1]),
    (dict[str, int], {"a": 1}),
    (Mapping[str, Sequence[Any]], {"a": [None, {}]}),
]


@pytest.mark.parametrize(("kind", "value", "reason"), MISFITS)
def test_nothing_is_coerced(kind, value, reason):
    assert misfits(value, kind) == [Problem("$", reason)]


@pytest.mark.parametrize(("kind", "value"), FITTING)
def test_fitting_values_are_unchanged(kind, value):
    found = read(value, kind, "The answer")
    assert (found, type(found)) == (value, type(value))


def test_new_converter_has_every_rule():
    """All rules are made here, and not by the test that happens to be the first."""
    converter.cache_clear()
    rules = converter()
    for kind, value, reason in MISFITS:
        assert misfits(value, kind) == [Problem("$", reason)]
    for kind, value in FITTING:
        found = rules.structure(value, kind)
        assert (found, type(found)) == (value, type(value))
    native = rules.structure(NATIVE, NativeRun)
    assert (native.cd_token.reveal(), native.raw) == ("hunter2222", NATIVE | {"cd_token": native.cd_token})
    assert misfits(NATIVE | {"cd_token": 5}, NativeRun)[0].path == "$.cd_token"
    assert rules.structure(["2026-01-02T03:04:05Z", 5, None], list[datetime | None])[0].year == 2026
    odd: list = [None, 5, {}, {"id": 1}, [], OUTPUT]
    found = rules.structure({**RUN, "outputs": odd, "workflow_inputs": {"a": 1}, "raw": 5}, WorkflowRunModel)
    assert ([one.id for one in found.outputs], found.raw["outputs"]) == (["o"], odd)
    assert rules.structure({**OUTPUT, "data": {"images": [FILE, 5], "odd": 5}}, WorkflowRunOutputModel).data == {
        "images": [rules.structure(FILE, MediaItem), 5],
        "odd": 5,
    }
    assert rules.structure({**OUTPUT, "data": []}, WorkflowRunOutputModel).data == {}
    assert misfits({**RUN, "outputs": 5, "queue_position": 1.5}, WorkflowRunModel) == [
        Problem("$.outputs", "expected a list, got int"),
        Problem("$.queue_position", "expected an integer or null, got float"),
    ]
    assert rules.structure({"loc": ["a", 1], "msg": "m", "type": "t"}, ValidationError).loc == ["a", 1]
    assert rules.structure({"deployment_id": "d"}, DeploymentRunRequest) == DeploymentRunRequest(deployment_id="d")
    row = {"id": "r", "status": "success", "duration": "0.5"}
    assert rules.structure(row, WorkflowRunRow).duration == 0.5
    for value, name in [("soon", "str"), ([], "list")]:
        reason = f"expected a number as text, got {name}"
        assert misfits({**row, "duration": value}, WorkflowRunRow) == [Problem("$.duration", reason)]


def test_text_of_kind_of_its_own_is_text():
    class Word(str):
        __slots__ = ()

    assert read(Word("a"), str, "The answer") == "a"


@pytest.mark.parametrize("value", [True, 1.5, None, [1], {"a": 1}])
def test_list_of_texts_and_integers(value):
    assert [problem.path for problem in misfits(["a", value], list[str | int])] == ["$[1]"]


@pytest.mark.parametrize("field", ["progress", "duration"])
@pytest.mark.parametrize("value", [True, "0.5", [0.5]])
def test_optional_number_is_strict(field, value):
    assert [problem.path for problem in misfits(RUN | {field: value}, WorkflowRunModel)] == [f"$.{field}"]


def test_list_of_server_may_be_null():
    assert run(outputs=None).outputs == []
    assert run().outputs == []
    assert read(None, list[WorkflowRunOutputModel], "The answer") == []


@pytest.mark.parametrize("kind", [tuple, range])
def test_caller_may_give_any_sequence(kind):
    assert read(kind([1, 2]) if kind is tuple else range(1, 3), Sequence[int], "request") == [1, 2]


def test_any_mapping_is_object():
    assert read(MappingProxyType(RUN), WorkflowRunModel, "The answer").id == "r"
    assert read(MappingProxyType({"a": 1}), Mapping[str, int], "request") == {"a": 1}


def test_unknown_fields_are_kept_in_raw():
    document = RUN | {"new": {"deep": [1]}, "outputs": [OUTPUT | {"newer": True}]}
    found = read(document, WorkflowRunModel, "The answer")
    assert found.raw is document
    assert found.outputs[0].raw["newer"] is True


def test_field_called_raw_is_no_way_into_model():
    found = run(raw={"id": "another"})
    assert found.raw == RUN | {"raw": {"id": "another"}}


def test_every_misfit_is_named_by_its_path():
    document = {"status": 5, "outputs": 5, "queue_position": 1.5}
    found = {problem.path: problem.reason for problem in misfits(document, WorkflowRunModel)}
    assert found.pop("$.id") == "required, but missing"
    assert found.pop("$.status") == "expected a string, got int"
    assert found.pop("$.outputs") == "expected a list, got int"
    assert list(found) == ["$.queue_position"]


def test_every_problem_of_list_is_named():
    found = {problem.path: problem.reason for problem in misfits([OUTPUT, {"id": 1}], list[WorkflowRunOutputModel])}
    assert found == {"$[1].id": "expected a string, got int", "$[1].run_id": "required, but missing"}


@pytest.mark.parametrize("odd", [None, 5, {}, {"id": 1}, [], "o"])
def test_odd_item_sinks_nothing(odd):
    found = run(outputs=[OUTPUT, odd])
    assert [output.id for output in found.outputs] == [OUTPUT["id"]]
    assert found.raw["outputs"][1] == odd
    assert run(outputs=[odd]).outputs == []
    deployment = read({"id": "d", "input_types": [odd, {"input_id": "i"}], "output_types": [odd]}, DeploymentModel, "x")
    assert ([one.input_id for one in deployment.input_types], deployment.output_types) == (["i"], [])


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_output_without_data_is_tolerated(data):
    (found,) = run(outputs=[{**OUTPUT, "data": data}]).outputs
    assert (found.data, found.files, found.raw["data"]) == ({}, [], data)


def test_unknown_key_is_named_with_known_ones():
    @frozen
    class Requested:
        first: str = ""
        second: str = ""

    (problem,) = misfits({"first": "a", "typo": 1, 5: 2, "also": 3}, Requested)
    assert problem == Problem("$", "unknown: 'also', 'typo', 5 (known: first, second)")
    (problem,) = misfits({"secondd": 1, "firstt": "a"}, Requested)
    meant = "(did you mean 'first', 'second'? known: first, second)"
    assert problem == Problem("$", f"unknown: 'firstt', 'secondd' {meant}")


@pytest.mark.parametrize("key", ["a @ b", "a\0 @ b"])
def test_problem_under_odd_key_is_named(key):
    (problem,) = misfits({key: "c"}, dict[str, int])
    assert problem.reason == "expected an integer, got str"


def test_unknown_word_stays_text():
    found = run(status="paused")
    assert (found.status, found.is_ended) == ("paused", False)


def test_open_enum_is_text_or_optional_null():
    kind = Literal["a", "b"] | str
    assert read("c", kind, "request") == "c"
    assert misfits(None, kind) == [Problem("$", "expected a string, got null")]
    assert read(None, Literal["a"] | str | None, "request") is None
    assert misfits(5, Literal["a"] | str | None) == [Problem("$", "expected a string or null, got int")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04Z", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ("2026-01-02T03:04:05.600+00Z", datetime(2026, 1, 2, 3, 4, 5, 600_000, UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (None, None),
        ("soon", None),
        ([], None),
    ],
)
def test_unreadable_time_is_none(text, expected):
    found = run(created_at=text)
    assert found.created_at == expected
    assert found.raw["created_at"] == text


def test_files_become_media_items():
    found = output(data={"images": [FILE | {"is_public": True, "upload_duration": 1, "new": 5}]})
    (item,) = found.data["images"]
    assert isinstance(item, MediaItem)
    assert (item.url, item.is_public, item.upload_duration, item.raw["new"]) == ("https://f", True, 1, 5)


@pytest.mark.parametrize(
    "item", ["text", True, 5, 1.5, None, [FILE], {}, {"url": 5} | {"type": "x"}, FILE | {"url": None}]
)
def test_other_item_than_file_is_unchanged(item):
    found = output(data={"images": [FILE, item]})
    assert found.data["images"][1] == item
    assert [type(kept) for kept in found.data["images"]] == [MediaItem, type(item)]


@pytest.mark.parametrize("value", ["text", True, 5, None, {"a": [FILE]}])
def test_other_kind_than_list_is_unchanged(value):
    found = output(data={"odd": value, "images": [FILE]})
    assert found.data["odd"] == value
    assert len(found.files) == 1


@given(value=ANYTHING)
def test_free_form_values_are_same_objects(value):
    assert run(workflow_inputs=value).workflow_inputs is value
    assert output(node_meta=value).node_meta is value


@given(items=st.dictionaries(st.text(), ANYTHING))
def test_nothing_in_outputs_can_sink_answer(items):
    found = output(data=items)
    assert found.raw["data"] is items
    assert found.data.keys() == items.keys()


@given(
    document=st.dictionaries(
        st.sampled_from([*RUN, "outputs", "created_at", "progress", "gpu", "queue_position", "loc", "msg", "url"])
        | st.text(),
        ANYTHING,
    ),
    model=st.sampled_from(
        [
            WorkflowRunModel,
            WorkflowRunOutputModel,
            WorkflowRunWebhookBody,
            CreateRunResponse,
            ValidationError,
            MediaItem,
        ]
    ),
)
def test_any_document_is_read_or_named(document, model):
    try:
        found = read(document, model, "The answer")
    except SDKValidationError as error:
        assert error.problems
        assert all(problem.path.startswith("$") for problem in error.problems)
    else:
        assert isinstance(found, Document)
        assert found.raw is document


def test_there_is_one_converter_in_process():
    assert converter() is converter()


def test_number_that_is_sent_as_text_is_number():
    row = {"id": "r", "status": "success", "duration": "0.563454", "run_duration": 2}
    read_row = read(row, WorkflowRunRow, "row")
    assert (read_row.duration, read_row.run_duration) == (0.563454, 2.0)
    assert misfits({**row, "duration": "soon"}, WorkflowRunRow) == [
        Problem("$.duration", "expected a number as text, got str")
    ]
