"""A request is sent unchanged, or its error is named before sending."""

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.codec import json_bytes
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.run_request import ANY_FORM, form_name, one_run, queueing_one, wire_form
from comfydeploy.errors import SDKValidationError
from comfydeploy.funcs import (
    run_batch,
    run_deployment_queue,
    run_deployment_stream,
    run_deployment_sync,
    run_first_result,
    run_native,
    run_queue,
    run_stream,
    run_sync,
    run_workflow_queue,
    run_workflow_stream,
    run_workflow_sync,
)
from comfydeploy.models import DeploymentRunRequest, WorkflowRunRequest, WorkflowRunVersionRequest

TEXT = st.text(st.characters(codec=None, exclude_categories=[]))
FREE = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=10,
    ),
)


ONE = {"deployment_id": "d"}


def run_body(request, *forms):
    return json_bytes(wire_form(request, forms or ANY_FORM), "request")


def refusal(request):
    with pytest.raises(SDKValidationError) as caught:
        run_body(request)
    assert caught.value.fate == "not_sent"
    return str(caught.value)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (DeploymentRunRequest(deployment_id="d"), {"deployment_id": "d"}),
        (
            WorkflowRunRequest(workflow_id="w", workflow_api_json={"1": {}}, inputs={}, batch_number=0),
            {"workflow_id": "w", "workflow_api_json": {"1": {}}, "inputs": {}, "batch_number": 0},
        ),
        (
            WorkflowRunVersionRequest(workflow_version_id="v", machine_id="m", flags=("a",), is_native_run=False),
            {"workflow_version_id": "v", "machine_id": "m", "flags": ["a"], "is_native_run": False},
        ),
    ],
)
def test_model_is_sent_without_missing_fields(request_, expected):
    assert json.loads(run_body(request_)) == expected


@pytest.mark.parametrize(
    "wire",
    [
        {"deployment_id": "d", "gpu": "a new one", "execution_mode": "a new one", "origin": "a new one"},
        {"workflow_version_id": "v"},
        {"workflow_id": "w", "workflow_api_json": {}, "workflow": {"a": None}},
        {"deployment_id": "d", "batch_input_params": {"seed": [1, None, {}]}},
        {"deployment_id": "d", "webhook": None, "inputs": None},
    ],
)
def test_mapping_is_sent_as_it_is(wire):
    assert json.loads(run_body(wire)) == wire
    assert json.loads(run_body(MappingProxyType(wire))) == wire


@pytest.mark.parametrize("first", ["workflow_id", "deployment_id"])
def test_version_form_wins_as_it_does_on_server(first):
    assert "unknown: " in refusal({first: "x", "workflow_version_id": "v"})


@given(inputs=FREE, graph=FREE)
def test_free_form_values_reach_wire_untouched(inputs, graph):
    request = WorkflowRunRequest(workflow_id="w", workflow_api_json=graph, inputs=inputs)
    for body in (run_body(request), run_body({"workflow_id": "w", "workflow_api_json": graph, "inputs": inputs})):
        sent = json.loads(body)
        assert (sent["inputs"], sent["workflow_api_json"]) == (inputs, graph)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"deployment_id": "d", "imputs": {}}, "$: unknown: 'imputs' (did you mean 'inputs'? known: inputs, "),
        ({"deployment_id": "d", 5: 1}, "$: unknown: 5"),
        ({"deployment_id": 5}, "$.deployment_id: expected a string, got int"),
        ({"deployment_id": None}, "$.deployment_id: expected a string, got null"),
        ({"workflow_id": "w"}, "$.workflow_api_json: required, but missing"),
        ({"inputs": {}}, "required: one of workflow_version_id, workflow_id, deployment_id"),
        ({}, "required: one of"),
        (None, "or DeploymentRunRequest or a mapping, got NoneType"),
        ("d", "or DeploymentRunRequest or a mapping, got str"),
        ([("deployment_id", "d")], "or DeploymentRunRequest or a mapping, got list"),
        ({"deployment_id": "d", "inputs": []}, "$.inputs: expected an object, got list"),
        ({"deployment_id": "d", "flags": "abc"}, "$.flags: expected a list, got str"),
        ({"deployment_id": "d", "flags": ["a", 1]}, "$.flags[1]: expected a string, got int"),
        ({"deployment_id": "d", "batch_number": True}, "$.batch_number: "),
        ({"deployment_id": "d", "batch_number": 2.0}, "$.batch_number: "),
        ({"deployment_id": "d", "is_native_run": 1}, "$.is_native_run: "),
        ({"deployment_id": "d", "gpu": 5}, "$.gpu: expected a string or null, got int"),
        ({"deployment_id": "d", "batch_input_params": {"seed": 1}}, "expected a list, got int"),
        ({"deployment_id": "d", "inputs": {"a": float("nan")}}, "$.inputs.a: nan is not JSON serializable"),
        ({"deployment_id": "d", "inputs": {"a": b""}}, "$.inputs.a: bytes is not JSON serializable"),
        (DeploymentRunRequest(deployment_id=5), "$.deployment_id: expected a string, got int"),
        (DeploymentRunRequest(deployment_id=None), "$.deployment_id: required, but missing"),
        (DeploymentRunRequest(deployment_id="d", inputs={"a": {1}}), "$.inputs.a: set is not JSON serializable"),
    ],
)
def test_mistake_is_named_before_anything_is_sent(request_, said):
    assert said in refusal(request_)


def test_forms_that_fit_are_named():
    with pytest.raises(SDKValidationError) as caught:
        run_deployment_queue.OPERATION.encode(5)
    assert str(caught.value) == "request: expected a DeploymentRunRequest or a mapping, got int"
    several = "WorkflowRunVersionRequest or WorkflowRunRequest or DeploymentRunRequest or a mapping"
    assert refusal(5) == f"request: expected a {several}, got int"


def test_route_of_one_form_names_its_keys():
    with pytest.raises(SDKValidationError) as caught:
        run_deployment_queue.OPERATION.encode({"workflow_id": "w"})
    assert "$.deployment_id: required, but missing" in str(caught.value)


@pytest.mark.parametrize("batch", [{}, {"batch_number": 1}, {"batch_number": None}])
def test_batch_names_missing_keys(batch):
    with pytest.raises(SDKValidationError) as caught:
        run_batch.OPERATION.encode(ONE | batch)
    assert str(caught.value) == "request: a batch needs batch_number above 1 or batch_input_params"
    assert json.loads(queueing_one(ONE | batch).content) == ONE | batch


@pytest.mark.parametrize(
    "batch", [{"batch_number": 2}, {"batch_input_params": {}}, {"batch_number": 1, "batch_input_params": {"a": [1]}}]
)
def test_batch_is_posted_and_not_waited_for(batch):
    request = run_batch.OPERATION.encode(ONE | batch)
    assert (request.method, request.url, json.loads(request.content)) == ("POST", "/run", ONE | batch)
    with pytest.raises(SDKValidationError) as caught:
        one_run(ONE | batch)
    assert str(caught.value) == "request: a batch has no single run to wait for: use run_batch"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"is_native_run": True}, "a native run is not executed by the service: use run_native"),
        ({"execution_mode": "sync"}, "execution_mode: expected 'async' or none, got 'sync'"),
        ({"execution_mode": ""}, "execution_mode: expected 'async' or none, got ''"),
    ],
)
def test_run_that_cannot_be_waited_for(more, reason):
    with pytest.raises(SDKValidationError) as caught:
        queueing_one(ONE | more)
    assert str(caught.value) == f"request: {reason}"


@pytest.mark.parametrize("more", [{"is_native_run": False}, {"execution_mode": "async"}, {"execution_mode": None}])
def test_one_run_is_queued(more):
    request = queueing_one(ONE | more)
    assert (request.method, request.url, json.loads(request.content)) == ("POST", "/run/queue", ONE | more)


FIRST = {"execution_mode": "sync_first_result"}
DOUBT, SUCCEEDED = "A run may have been created, and billed", "The run may have succeeded, and is billed"
SERVER, BATCH = f"{DOUBT}: the server is known to answer 500", f"{DOUBT}; only a batch is refused"
JSON, EVENTS = "application/json", "text/event-stream"
OPERATIONS = [
    (run_queue, "/run/queue", {}, (JSON, 300.0), SERVER),
    (run_deployment_queue, "/run/deployment/queue", {}, (JSON, 300.0), SERVER),
    (run_workflow_queue, "/run/workflow/queue", {}, (JSON, 300.0), SERVER),
    (run_sync, "/run/sync", {}, (JSON, None), SERVER),
    (run_deployment_sync, "/run/deployment/sync", {}, (JSON, None), SERVER),
    (run_workflow_sync, "/run/workflow/sync", {}, (JSON, None), SERVER),
    (run_stream, "/run/stream", {}, (EVENTS, None), BATCH),
    (run_deployment_stream, "/run/deployment/stream", {}, (EVENTS, None), BATCH),
    (run_workflow_stream, "/run/workflow/stream", {}, (EVENTS, None), BATCH),
    (run_native, "/run", {"is_native_run": True}, (JSON, 300.0), SERVER),
    (run_first_result, "/run", FIRST, ("*/*", None), SUCCEEDED),
    (run_batch, "/run", {"batch_number": 2}, (JSON, 300.0), SERVER),
]


@pytest.mark.parametrize(("module", "path", "more", "reading", "doubt"), OPERATIONS, ids=lambda value: str(value)[:40])
def test_operations_that_create_runs(module, path, more, reading, doubt):
    operation = module.OPERATION
    wire = {"workflow_id": "w", "workflow_api_json": {}} if "/workflow/" in path else ONE
    request = operation.encode(wire | more)
    assert (request.method, request.url, json.loads(request.content)) == ("POST", path, wire | more)
    assert (operation.creates, operation.accept, operation.read_timeout) == ("run", *reading)
    assert operation.form(b'{"deployment_id": "d"}') == "DeploymentRunRequest"
    with pytest.raises(SDKValidationError) as caught:
        operation.encode(wire | more | {"inputs": {"a": b""}})
    assert caught.value.message.startswith("request: $.inputs.a: bytes is not JSON serializable")
    for status in (303, 408, 499, 500, 504, 599):
        hint = operation.hint(Reply(status))
        assert hint.startswith(doubt)
        assert "run_find finds the run" in hint
    assert operation.hint(Reply(404, {}, b'{"detail": "Deployment not found"}')).startswith("Nothing was run.")
    for reply in (Reply(404), Reply(400, {}, b"Deployment not found"), Reply(503), Reply(429), Reply(404, {}, b"[]")):
        assert operation.hint(reply) is None
    empty = Reply(400, {}, b'{"detail": "No output found"}')
    assert (operation.hint(empty) or "").startswith("The run may have succeeded") is (module is run_first_result)
    assert operation.hint(Reply(400)) is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("workflow_version_id", "WorkflowRunVersionRequest"),
        ("workflow_id", "WorkflowRunRequest"),
        ("deployment_id", "DeploymentRunRequest"),
        ("model_id", None),
    ],
)
def test_form_of_body_is_named(key, name):
    assert form_name(json.dumps({key: "x"}).encode()) == name


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"5", b'["deployment_id"]', b'"deployment_id"', b"\xff"])
def test_body_without_form_has_no_name(content):
    assert form_name(content) is None


def test_request_that_refers_to_itself_is_refused():
    inputs = {}
    inputs["again"] = inputs
    assert "$.inputs.again: contains itself" in refusal({"deployment_id": "d", "inputs": inputs})
