"""A request is sent unchanged, or its error is named before sending."""

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.codec import json_bytes
from comfydeploy._wire.run_request import ANY_FORM, form_name, wire_form
from comfydeploy.errors import SDKValidationError
from comfydeploy.funcs import run_batch, run_deployment_queue
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


@pytest.mark.parametrize("request_", [{"deployment_id": "d"}, {"deployment_id": "d", "batch_number": 1}])
def test_batch_names_missing_keys(request_):
    with pytest.raises(SDKValidationError) as caught:
        run_batch.OPERATION.encode(request_)
    assert str(caught.value) == "request: a batch needs batch_number above 1 or batch_input_params"


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


def test_request_that_refers_to_itself_is_refused():
    inputs = {}
    inputs["again"] = inputs
    assert "$.inputs.again: contains itself" in refusal({"deployment_id": "d", "inputs": inputs})
