"""Recorded responses of the real server to the other operations fit their documented models."""

import json
from pathlib import Path

import httpx
import pytest

from comfydeploy import Failure, Success, errors, unwrap
from comfydeploy.models import (
    CancelRunResponse,
    CreateRunBatchResponse,
    FileUploadResponse,
    NativeRun,
    RunLogLine,
    WorkflowRunRow,
)

SAMPLES = Path(__file__).parent.parent / "samples" / "other_exchanges.json"
RECORDED = {one["name"]: one for one in json.loads(SAMPLES.read_text(encoding="utf-8"))}
RUN_ID = "11110000-0000-4000-8000-0000000000ff"
BATCH = {"deployment_id": "d", "batch_number": 3}
CALLS = {
    "cancel": ("run_cancel", RUN_ID),
    "run-batch": ("run_batch", BATCH),
    "run-native": ("run_native", {"deployment_id": "d"}),
    "run-sync-first-result": ("run_first_result", {"deployment_id": "d"}),
    "upload": ("file_upload", None),
    "file-then-run-upload": ("file_upload", None),
}


@pytest.fixture
def ask(calls):
    def ask(name):
        recorded = RECORDED[name]
        answer = httpx.Response(
            recorded["status"], headers={"content-type": recorded["content_type"]}, text=recorded["body"]
        )
        core = calls.core(transport=httpx.MockTransport(lambda _: answer))
        if name == "workflow-runs-list":
            return calls.pages("runs_list", core, "w")[0]
        if name == "stream-logs":
            return calls("run_logs_stream", core, RUN_ID)
        operation, argument = next(CALLS[start] for start in CALLS if name.startswith(start))
        if operation == "file_upload":
            return calls(operation, core, b"x", name="up.png")
        return calls(operation, core, argument)

    return ask


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("cancel-finished", CancelRunResponse),
        ("cancel-immediately", CancelRunResponse),
        ("run-batch_number", CreateRunBatchResponse),
        ("run-batch_input_params-empty", CreateRunBatchResponse),
        ("run-native", NativeRun),
        ("file-then-run-upload", FileUploadResponse),
    ],
)
def test_good_answer_is_the_documented_model(ask, name, model):
    value = unwrap(ask(name))
    assert type(value) is model
    sent = json.loads(RECORDED[name]["body"])
    assert value.raw.keys() == sent.keys()
    for field in sent.keys() - {"cd_token"}:
        assert getattr(value, field) == sent[field]


@pytest.mark.parametrize("name", [name for name, one in RECORDED.items() if one["status"] >= 400])
def test_bad_answer_is_documented_error(ask, name):
    error = ask(name).failure()
    recorded = RECORDED[name]
    expected = errors.HTTPValidationError if recorded["status"] == 422 else errors.SDKError
    assert type(error) is expected
    assert error.status_code == recorded["status"]
    assert error.body == recorded["body"]
    assert error.fate == "answered"


@pytest.mark.parametrize("name", ["cancel-classic", "cancel-other-user"])
def test_cancellation_of_nothing_says_so(ask, name):
    assert "not found" in ask(name).failure().hint


@pytest.mark.parametrize("name", ["run-batch_number-0", "run-batch_number-1", "run-batch_number-negative"])
def test_single_run_for_a_batch_is_an_error(ask, name):
    error = ask(name).failure()
    assert isinstance(error, errors.SDKValidationError)
    assert (error.fate, error.raw_value) == ("answered", json.loads(RECORDED[name]["body"]))


def test_durations_of_rows_are_numbers(ask):
    rows = unwrap(ask("workflow-runs-list"))
    assert {type(row) for row in rows} == {WorkflowRunRow}
    assert [row.duration for row in rows] == [None, None, 0.563454, 0.59043]
    assert all(row.created_at.tzinfo and row.raw["version"] for row in rows)


def test_log_is_read_to_its_last_line(ask, calls):
    items = calls.items(unwrap(ask("stream-logs")))
    assert not [item for item in items if isinstance(item, Failure)]
    lines = [item.unwrap() for item in items if isinstance(item, Success)]
    assert {type(line) for line in lines} == {RunLogLine}
    assert {"webhook"} == {line.level for line in lines}
    assert "__END__" in RECORDED["stream-logs"]["body"]
    assert all(line.timestamp.tzinfo for line in lines)
    assert len(lines) == RECORDED["stream-logs"]["body"].count("data:") - 3  # the last events are not lines
