"""The reason of a failed run from its row, its stream, or its last state."""

import json
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.failure import (
    Reason,
    first_paragraph,
    guessed,
    has_node_times,
    row_reason,
    run_failed,
    stream_reason,
)
from comfydeploy.models import EventUpdate, WorkflowRunModel

STREAMS = json.loads((Path(__file__).parent.parent / "samples" / "failures.json").read_text())["streams"]
RUN = WorkflowRunModel(id="r", status="failed")
RAISED = {"node_id": "5", "node_type": "K", "exception_type": "E", "exception_message": "m", "current_inputs": "SECRET"}
REFUSED = {
    "error": {"error": {"message": "no"}, "node_errors": {"4": {"class_type": "L", "errors": [{"message": "x"}]}}}
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.sampled_from([
        "data", "error", "errors", "node_errors", "message", "details", "class_type", "node_id", "node_type",
        "exception_type", "exception_message", "traceback", "time",
    ]), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def rows(*documents):
    return [{"id": "o", "data": document} for document in documents]


@pytest.mark.parametrize("sample", STREAMS, ids=lambda sample: sample["name"])
def test_reason_in_stream(sample):
    update = EventUpdate(event=sample["event"], data=sample["data"])
    reason = stream_reason(update)
    assert (reason and reason.kind, reason and reason.text) == (sample["kind"], sample["message"])
    assert "SECRET" not in repr(reason)


def test_failure_from_stream_has_no_run():
    reason = stream_reason(EventUpdate(event="execution_error", data={**RAISED, "traceback": ["a\n", "b\n", 5]}))
    error = run_failed(reason, "stream", None, run_id="r")
    assert (error.message, error.run, error.run_id, error.kind) == ("K (node 5): E: m", None, "r", "node")
    assert (error.node_id, error.node_type, error.exception_type, error.exception_message) == ("5", "K", "E", "m")
    assert (error.traceback, error.logs, error.source, error.fate) == ("a\nb", (), "stream", "answered")


def test_inputs_are_in_no_error():
    error = run_failed(row_reason(rows(RAISED)), "row", RUN)
    assert error.run is RUN
    assert "SECRET" not in repr(error) + str(error)
    assert b"SECRET" not in pickle.dumps(error)


def test_failure_of_row_has_run_and_logs():
    error = run_failed(Reason(text="m", kind="crashed"), "logs", RUN, run_id="other", logs=["a", "b"])
    assert (error.run_id, error.logs, error.source, error.kind) == ("r", ("a", "b"), "logs", "crashed")


@pytest.mark.parametrize(
    ("sent", "traceback"),
    [
        (["\n  a\n", "b\n", "\n"], "  a\nb"),
        ("XaX\n", "XaX"),
        (["\n", ""], None),
        ([5, None], None),
        (None, None),
    ],
)
def test_traceback_is_text(sent, traceback):
    assert row_reason(rows({**RAISED, "traceback": sent})).traceback == traceback


def test_first_refused_node_is_named():
    errors = {"4": {"class_type": "L"}, "5": {"class_type": "K"}}
    reason = row_reason(rows({"error": {"error": "x", "node_errors": errors}}))
    assert (reason.kind, reason.node_id, reason.node_type) == ("refused", "4", "L")


def test_failed_node_may_have_no_reason():
    reason = stream_reason(EventUpdate(event="execution_error", data={"error": {"message": "no"}}))
    assert (reason.kind, reason.text) == ("node", "A node failed; the event has no reason")
    assert stream_reason(EventUpdate(event="executing", data={"error": {"message": "no"}})) is None
    assert stream_reason(EventUpdate(event=None, data={"error": {"message": "no"}})).text == "no"


def test_raised_comes_before_refused():
    assert row_reason(rows([], REFUSED, None, RAISED)).kind == "node"
    assert row_reason(rows([], REFUSED)).text == "L (node 4): x"


@pytest.mark.parametrize("outputs", [None, "x", 5, {}, [], [None], rows(None, [], {"images": []}, {"error": None})])
def test_rows_without_reason(outputs):
    assert row_reason(outputs) is None


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        ({"exception_type": "E"}, "A node: E"),
        ({"exception_message": "m", "node_id": 7}, "Node 7: m"),
        ({"exception_message": None, "node_type": "K"}, "K: an exception without a type or a message"),
        ({"exception_message": "a\nb\n \nc", "node_type": "K", "node_id": True}, "K: a b"),
        ({"exception_message": "x" * 400, "node_type": "K", "node_id": 10**5000}, f"K: {'x' * 294}..."),
        ({"exception_message": "x" * 297, "node_type": "K"}, f"K: {'x' * 297}"),
        ({"exception_message": "x" * 298, "node_type": "K"}, f"K: {'x' * 294}..."),
        ({"exception_type": "E", "node_id": 10**18 - 1}, f"Node {10**18 - 1}: E"),
        ({"exception_type": "E", "node_id": 10**18}, "A node: E"),
        ({"exception_type": "E", "node_id": -(10**18)}, "A node: E"),
        ({"exception_type": " E ", "node_id": " 5 ", "node_type": " "}, "Node 5: E"),
    ],
)
def test_node_exception_in_one_sentence(raised, text):
    assert row_reason(rows(raised)).text == text


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        ({"error": 5, "node_errors": None}, "5"),
        ({"error": True}, "ComfyUI refused the graph without a reason"),
        ({"error": {"details": "d"}}, "d"),
        ({"error": {"message": "a.", "details": "d"}}, "a: d"),
        ({"error": {"message": "aX."}}, "aX."),
        ({"error": "x", "node_errors": {}}, "x"),
        ({"error": "x" * 301}, "x" * 297 + "..."),
        (
            {"error": "x", "node_errors": {"4": {"errors": [{"message": "a\n\nb"}, {"details": "c"}]}, "5": {}}},
            "Node 4: a, c; Node 5: refused without a reason",
        ),
        ({"error": "x", "node_errors": {"4": None}}, "Node 4: refused without a reason"),
        ({"error": "x", "node_errors": {"4": {"errors": [5, {}, {"message": "a."}]}}}, "Node 4: a."),
        ({"error": "x", "node_errors": {"4": {"errors": 5}}}, "Node 4: refused without a reason"),
    ],
)
def test_refusal_in_one_sentence(refused, text):
    assert row_reason(rows({"error": refused})).text == text


def test_refused_graph_names_every_node():
    errors = {str(n): {"class_type": "K" * 200, "errors": [{"message": "m" * 500}]} for n in range(50)}
    text = row_reason(rows({"error": {"error": "x", "node_errors": errors}})).text
    assert all(f"(node {n}): m" in text for n in range(50))
    assert len(text) < 50 * 303


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        (rows([]), True),
        (rows([{"id": "3", "time": 0.1}]), True),
        (rows({"images": []}, [{"id": "3", "time": 0.1}]), True),
        (rows(["text"]), False),
        (rows([{"id": "3", "time": 0.1}, {"id": "4"}]), False),
        (rows({"images": []}), False),
        (None, False),
    ],
)
def test_node_times(outputs, found):
    assert has_node_times(outputs) is found


def test_guess_says_so():
    runs = [
        WorkflowRunModel(id="r", status="failed", live_status="Executing K"),
        WorkflowRunModel(id="r", status="failed"),
        WorkflowRunModel(id="r", status="failed", started_at=datetime(2026, 11, 25, tzinfo=UTC)),
    ]
    assert [(guessed(run).kind, guessed(run).node_type) for run in runs] == [
        ("crashed", "K"),
        ("start", None),
        ("refused", None),
    ]
    assert all("a guess" in guessed(run).text for run in runs)


def test_first_paragraph_is_one_line():
    assert first_paragraph(None) == first_paragraph(" \n") == ""
    assert first_paragraph("\n a\n\tb \n \n c") == "a b"


@given(JSON)
def test_odd_rows_never_raise(value):
    assert isinstance(row_reason(value), Reason | None)
    assert isinstance(row_reason(rows(value, {"error": value})), Reason | None)
    assert has_node_times(rows(value)) in (True, False)


@given(st.sampled_from([None, "execution_error", "executing"]), JSON)
def test_odd_events_never_raise(event, value):
    update = EventUpdate(event=event, data=value)
    assert isinstance(stream_reason(update), Reason | None)
