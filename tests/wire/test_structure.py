"""JSON values become models: nothing coerced, nothing lost, every misfit named by its path."""

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
    MediaItem,
    ValidationError,
    WorkflowRunModel,
    WorkflowRunOutputModel,
    WorkflowRunWebhookBody,
)
from comfydeploy.models.document import Document
from comfydeploy.models.run_row import WorkflowRunRow

RUN = {"id": "r", "status": "running"}
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


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
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
    ],
)
def test_nothing_is_coerced(kind, value, reason):
    assert misfits(value, kind) == [Problem("$", reason)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
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
    ],
)
def test_what_fits_is_given_as_it_is(kind, value):
    found = read(value, kind, "The answer")
    assert (found, type(found)) == (value, type(value))


def test_a_text_of_a_kind_of_its_own_is_a_text():
    class Word(str):
        __slots__ = ()

    assert read(Word("a"), str, "The answer") == "a"


@pytest.mark.parametrize("value", [True, 1.5, None, [1], {"a": 1}])
def test_in_a_list_of_texts_and_integers_nothing_else_fits(value):
    assert [problem.path for problem in misfits(["a", value], list[str | int])] == ["$[1]"]


@pytest.mark.parametrize("field", ["progress", "duration"])
@pytest.mark.parametrize("value", [True, "0.5", [0.5]])
def test_a_number_that_may_be_null_is_no_truth_and_no_text(field, value):
    assert [problem.path for problem in misfits(RUN | {field: value}, WorkflowRunModel)] == [f"$.{field}"]


def test_a_list_of_the_server_may_be_null():
    assert run(outputs=None).outputs == []
    assert run().outputs == []
    assert read(None, list[WorkflowRunOutputModel], "The answer") == []


@pytest.mark.parametrize("kind", [tuple, range])
def test_a_caller_may_give_any_sequence(kind):
    assert read(kind([1, 2]) if kind is tuple else range(1, 3), Sequence[int], "request") == [1, 2]


def test_any_mapping_is_an_object():
    assert read(MappingProxyType(RUN), WorkflowRunModel, "The answer").id == "r"
    assert read(MappingProxyType({"a": 1}), Mapping[str, int], "request") == {"a": 1}


def test_fields_that_this_version_does_not_know_are_kept_in_raw():
    document = RUN | {"new": {"deep": [1]}, "outputs": [OUTPUT | {"newer": True}]}
    found = read(document, WorkflowRunModel, "The answer")
    assert found.raw is document
    assert found.outputs[0].raw["newer"] is True


def test_a_field_called_raw_is_no_way_into_the_model():
    found = run(raw={"id": "another"})
    assert found.raw == RUN | {"raw": {"id": "another"}}


def test_every_misfit_is_named_by_its_path():
    document = {"status": 5, "outputs": 5, "queue_position": 1.5}
    found = {problem.path: problem.reason for problem in misfits(document, WorkflowRunModel)}
    assert found.pop("$.id") == "required, but missing"
    assert found.pop("$.status") == "expected a string, got int"
    assert found.pop("$.outputs") == "expected a list, got int"
    assert list(found) == ["$.queue_position"]


def test_every_misfit_of_a_list_is_named_by_its_path():
    found = {problem.path: problem.reason for problem in misfits([OUTPUT, {"id": 1}], list[WorkflowRunOutputModel])}
    assert found == {"$[1].id": "expected a string, got int", "$[1].run_id": "required, but missing"}


@pytest.mark.parametrize("odd", [None, 5, {}, {"id": 1}, [], "o"])
def test_an_odd_item_sinks_nothing(odd):
    found = run(outputs=[OUTPUT, odd])
    assert [output.id for output in found.outputs] == [OUTPUT["id"]]
    assert found.raw["outputs"][1] == odd
    assert run(outputs=[odd]).outputs == []
    deployment = read({"id": "d", "input_types": [odd, {"input_id": "i"}], "output_types": [odd]}, DeploymentModel, "x")
    assert ([one.input_id for one in deployment.input_types], deployment.output_types) == (["i"], [])


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_an_output_without_data_does_not_sink_its_run(data):
    (found,) = run(outputs=[{**OUTPUT, "data": data}]).outputs
    assert (found.data, found.files, found.raw["data"]) == ({}, [], data)


def test_what_a_caller_adds_is_named_with_what_is_known():
    @frozen
    class Asked:
        first: str = ""
        second: str = ""

    (problem,) = misfits({"first": "a", "typo": 1, 5: 2, "also": 3}, Asked)
    assert problem == Problem("$", "unknown: 'also', 'typo', 5 (known: first, second)")


def test_a_misfit_under_a_strange_key_is_named_by_its_path():
    (problem,) = misfits({"a @ b": "c"}, dict[str, int])
    assert problem.reason == "expected an integer, got str"


def test_a_word_that_this_version_does_not_know_stays_a_text():
    found = run(status="paused")
    assert (found.status, found.is_ended) == ("paused", False)


def test_an_open_word_is_a_text_and_null_only_where_it_may_be():
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
def test_a_time_that_cannot_be_read_does_not_sink_the_answer(text, expected):
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
def test_an_item_that_is_no_file_is_kept_as_the_server_sent_it(item):
    found = output(data={"images": [FILE, item]})
    assert found.data["images"][1] == item
    assert [type(kept) for kept in found.data["images"]] == [MediaItem, type(item)]


@pytest.mark.parametrize("value", ["text", True, 5, None, {"a": [FILE]}])
def test_a_kind_of_output_that_is_no_list_is_kept_as_the_server_sent_it(value):
    found = output(data={"odd": value, "images": [FILE]})
    assert found.data["odd"] == value
    assert len(found.files) == 1


@given(value=ANYTHING)
def test_free_form_values_are_the_same_objects(value):
    assert run(workflow_inputs=value).workflow_inputs is value
    assert output(node_meta=value).node_meta is value


@given(items=st.dictionaries(st.text(), ANYTHING))
def test_nothing_in_the_outputs_can_sink_the_answer(items):
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


def test_there_is_one_converter_in_the_process():
    assert converter() is converter()


def test_a_number_that_is_sent_as_text_is_a_number():
    row = {"id": "r", "status": "success", "duration": "0.563454", "run_duration": 2}
    read_row = read(row, WorkflowRunRow, "row")
    assert (read_row.duration, read_row.run_duration) == (0.563454, 2.0)
    assert misfits({**row, "duration": "soon"}, WorkflowRunRow) == [
        Problem("$.duration", "expected a number as text, got str")
    ]
