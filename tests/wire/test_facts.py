"""What is said of calls and runs has no text of a server, no query and no user."""

from datetime import UTC, datetime, timedelta

import pytest

from comfydeploy import Failure, Success
from comfydeploy._wire.facts import end_facts, outcome_facts, request_facts, result_facts, state_facts
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy.errors import HTTPValidationError, RequestAbortedError, RequestTimeoutError, SDKError
from comfydeploy.funcs import run_get, run_logs_stream, runs_list
from comfydeploy.models import CreateRunResponse, WorkflowRunModel
from comfydeploy.outcome import DeadlineExceeded, RunCancelled, RunFailed, RunTimedOut

RUN = WorkflowRunModel(id="r", status="running")
CREATED = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("request_", "url", "route"),
    [
        (run_get.OPERATION.encode({"run_id": "a/b", "queue_position": True}), "/run/a%2Fb", "/run/{run_id}"),
        (run_logs_stream.OPERATION.encode({"run_id": "r"}), "/v2/stream-logs", "/v2/stream-logs"),
        (Request("POST", "/run/queue?webhook_token=hidden"), "/run/queue", "/run/queue"),
    ],
)
@pytest.mark.parametrize(
    "place",
    [("https://host/api", "host", 443), ("http://host", "host", 80), ("http://[::1]:8000/a/b", "::1", 8000)],
)
def test_address_is_without_query(request_, url, route, place):
    server, host, port = place
    sent = Request(request_.method, server + request_.url, route=request_.route)
    path = server.partition("://")[2].partition("/")[2]
    prefix = f"/{path}" if path else ""
    assert request_facts(sent) == {
        "method": request_.method,
        "url": server + url,
        "route": prefix + route,
        "host": host,
        "port": port,
    }


def test_address_is_without_user():
    facts = request_facts(Request("GET", "ftp://user:password@host/run"))
    assert (facts["url"], facts["host"], facts["port"]) == ("ftp://host/run", "host", 0)
    assert request_facts(Request("GET", "run"))["host"] == ""


def test_route_has_names():
    request = runs_list.OPERATION.encode(
        {"workflow_id": "w", "limit": 1, "offset": 0, "with_outputs": True, "with_inputs": False}
    )
    assert request.route == "/workflow/{workflow_id}/runs"


@pytest.mark.parametrize(
    ("outcome", "facts"),
    [
        (Reply(503, {}, b"a secret"), {"status_code": 503}),
        (RequestTimeoutError("a secret", "unknown"), {"error_type": "RequestTimeoutError", "fate": "unknown"}),
        (
            SDKError("a secret", 404, "text/plain", b"a secret", {"a": "secret"}),
            {"error_type": "SDKError", "fate": "answered", "status_code": 404},
        ),
    ],
)
def test_outcome_of_attempt(outcome, facts):
    assert outcome_facts(outcome) == facts


def test_result_of_call():
    assert result_facts(Success(CreateRunResponse(run_id="r"))) == {"run_id": "r"}
    assert result_facts(Success([])) == {}
    error = HTTPValidationError([], 422, b"", {})
    assert result_facts(Failure(error)) == {
        "error_type": "HTTPValidationError",
        "fate": "answered",
        "status_code": 422,
    }


def test_state_has_what_is_known():
    assert state_facts(WorkflowRunModel(id="r", status="queued", queue_position=3)) == {
        "status": "queued",
        "queue_position": 3,
    }


def test_text_is_short_and_redacted():
    run = WorkflowRunModel(id="r", status="x" * 5_000, machine_id="?signature=hidden")
    assert len(state_facts(run)["status"]) == 200
    assert end_facts(None, run, None) == {"outcome": "left", "machine_id": "?signature=[redacted]"}


def test_reason_is_without_messages():
    error = RunFailed(
        "a prompt", None, "r", "node", "5", "KSampler", "ValueError", "a prompt", "a prompt", ("a prompt",)
    )
    assert end_facts(Failure(error), None, "r") == {
        "run_id": "r",
        "outcome": "failed",
        "error_type": "RunFailed",
        "fate": "answered",
        "kind": "node",
        "source": "guess",
        "node_id": "5",
        "node_type": "KSampler",
        "exception_type": "ValueError",
    }


@pytest.mark.parametrize(
    ("error", "run_id", "outcome"),
    [
        (RequestTimeoutError("m", "unknown"), None, "unknown"),
        (RequestTimeoutError("m", "not_sent"), None, "not_created"),
        (RequestTimeoutError("m", "answered"), "r", "unknown"),
        (RequestTimeoutError("m", "unknown"), "r", "unknown"),
        (RunFailed("m", None, "r"), "r", "failed"),
        (RunCancelled("m", RUN, "r"), "r", "cancelled"),
        (RunTimedOut("m", RUN, "r"), "r", "timeout"),
        (DeadlineExceeded("m", "r", None, "no"), "r", "deadline"),
        (RequestAbortedError("m", "answered"), "r", "left"),
    ],
)
def test_outcome_of_failure(error, run_id, outcome):
    assert end_facts(Failure(error), None, run_id)["outcome"] == outcome


def test_end_of_run_is_success():
    assert end_facts(Success(RUN), None, "r") == {"run_id": "r", "outcome": "success"}


def test_deadline_has_its_cancellation():
    assert end_facts(Failure(DeadlineExceeded("m", "r", None, "unknown")), None, "r")["cancelled"] == "unknown"


def test_state_has_progress():
    assert state_facts(WorkflowRunModel(id="r", status="running", progress=0.5)) == {
        "status": "running",
        "progress": 0.5,
    }


def test_end_has_place_of_run():
    run = WorkflowRunModel(id="r", status="success", workflow_id="w", machine_id="m", gpu="T4")
    assert end_facts(None, run, None) == {"outcome": "left", "workflow_id": "w", "machine_id": "m", "gpu": "T4"}


@pytest.mark.parametrize(
    ("created", "started", "ended", "durations"),
    [
        (0, 0, 5, {"time_to_start": 0.0, "time_to_end": 5.0}),
        (0, 2, None, {"time_to_start": 2.0}),
        (0, -1, 0, {"time_to_end": 0.0}),  # another clock
        (None, 2, 5, {}),
    ],
)
def test_durations_are_from_creation(created, started, ended, durations):
    created_at, started_at, ended_at = (
        None if seconds is None else CREATED + timedelta(seconds=seconds) for seconds in (created, started, ended)
    )
    run = WorkflowRunModel(id="r", status="running", created_at=created_at, started_at=started_at, ended_at=ended_at)
    assert end_facts(None, run, None) == {"outcome": "left", **durations}
