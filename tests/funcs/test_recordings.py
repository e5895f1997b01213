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


class TestListsAndReasons:
    """What was recorded last: one deployment, lists of runs, and why a run failed."""

    LATER = json.loads(SAMPLES.with_name("lists_and_reasons.json").read_text(encoding="utf-8"))

    @pytest.fixture
    def core(self, calls):
        def respond(request):
            path = f"/api{request.url.path}"
            found = next((one for one in self.LATER if one["call"].split()[1].partition("?")[0] == path), None)
            if found is None:
                return httpx.Response(404, json={"detail": "Not Found"})
            headers = {"content-type": found["content_type"]}
            return httpx.Response(found["status"], headers=headers, text=found["body"])

        return calls.core(transport=httpx.MockTransport(respond))

    def bodies(self, name):
        return [json.loads(one["body"]) for one in self.LATER if one["name"] == name and one["status"] == 200]

    def test_deployment_is_whole(self, calls, core):
        (sent,) = self.bodies("deployment-get")
        deployment = unwrap(calls("deployment_get", core, sent["id"]))
        assert deployment.raw == sent
        assert (deployment.id, deployment.workflow_id) == (sent["id"], sent["workflow_id"])

    def test_unknown_deployment_is_500(self, calls, core):
        error = calls("deployment_get", core, "00000000-0000-4000-8000-000000000000").failure()
        assert (type(error), error.status_code, error.fate) == (errors.SDKError, 500, "answered")

    def test_node_that_raised_is_reason(self, calls, core):
        rows, run, *_ = self.bodies("runs-v1-failed-reason")
        error = calls("run_wait", core, run["id"]).failure()
        (row,) = [output["data"] for output in rows[0]["outputs"] if "exception_message" in output["data"]]
        assert (error.run_id, error.kind, error.source) == (run["id"], "node", "row")
        assert (error.node_id, error.exception_message) == (row["node_id"], row["exception_message"].strip())

    def test_refused_graph_is_reason(self, calls, core):
        _, run = self.bodies("runs-v1-refused-reason")
        error = calls("run_wait", core, run["id"]).failure()
        assert (error.run_id, error.kind, error.source) == (run["id"], "refused", "row")

    def test_run_is_found_by_its_key(self, calls, core):
        rows = self.bodies("runs-v1-failed-reason")[0]
        found = unwrap(calls("run_find", core, ["night/7/3/1"], workflow_id=rows[0]["workflow_id"]))
        assert [run.id for run in found.runs] == [rows[0]["id"]]

    def test_rows_of_workflow_have_no_inputs(self, calls, core):
        (sent,) = self.bodies("v2-workflow-runs-list")
        (page,) = calls.pages("workflow_runs", core, sent[0]["workflow_id"])
        assert [row.id for row in unwrap(page)] == [row["id"] for row in sent]
