"""Keys: which are accepted, where they are stored, in every form of a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.keys import KEY_INPUT, key_of
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.inputs import keyed
from comfydeploy.models import DeploymentRunRequest, WorkflowRunRequest, WorkflowRunVersionRequest

FORMS = [
    DeploymentRunRequest(deployment_id="d", inputs={"a": 1}, batch_number=3),
    WorkflowRunRequest(workflow_id="w", workflow_api_json={}, inputs={"a": 1}),
    WorkflowRunVersionRequest(workflow_version_id="v", inputs={"a": 1}),
]


@pytest.mark.parametrize("request_model", FORMS, ids=lambda form: type(form).__name__)
def test_model_stays_model(request_model):
    found = keyed(request_model, "k").unwrap()
    assert type(found) is type(request_model)
    assert found.inputs == {"a": 1, "comfydeploy_key": "k"}
    assert request_model.inputs == {"a": 1}
    assert found.batch_number == request_model.batch_number


@pytest.mark.parametrize("inputs", [{}, {"inputs": None}, {"inputs": {}}])
def test_mapping_stays_mapping(inputs):
    request = {"deployment_id": "d", "batch_input_params": {"a": [1]}, **inputs}
    assert keyed(request, "k").unwrap() == {**request, "inputs": {KEY_INPUT: "k"}}


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_same_key_changes_nothing(key):
    once = keyed(FORMS[0], key).unwrap()
    assert keyed(once, key).unwrap() == once
    assert key_of(once.inputs) == key


def test_another_key_is_failure():
    error = keyed({"deployment_id": "d", "inputs": {KEY_INPUT: "a"}}, "b").failure()
    assert str(error) == "request: $.inputs.comfydeploy_key: the request has another key already"
    assert error.problems[0].path == "$.inputs.comfydeploy_key"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "expected 1 to 200 characters, got 0"),
        ("x" * 201, "expected 1 to 200 characters, got 201"),
        ("a\0b", "expected text without NUL that UTF-8 can encode, got 'a\\x00b'"),
        ("\ud800", "expected text without NUL that UTF-8 can encode, got '\\ud800'"),
        (None, "expected a string, got NoneType"),
        (5, "expected a string, got int"),
        (b"k", "expected a string, got bytes"),
        (["k"], "expected a string, got list"),
    ],
)
def test_key_that_cannot_be_stored_is_failure(key, reason):
    error = keyed(FORMS[0], key).failure()
    assert (error.message, error.problems) == (f"key: {reason}", (Problem("$.key", reason),))
    assert error.raw_value == (key if isinstance(key, str) else None)


@pytest.mark.parametrize("key", ["k", "x" * 200, "é" * 200])
def test_key_may_have_1_to_200_characters(key):
    assert key_of(keyed(FORMS[0], key).unwrap().inputs) == key


class Evil(dict):
    def get(self, *_):
        raise LookupError


@pytest.mark.parametrize(
    ("request_value", "message"),
    [
        (None, "request: expected a request for a run or a mapping, got NoneType"),
        ([], "request: expected a request for a run or a mapping, got list"),
        ({"inputs": 5}, "request: $.inputs: expected a mapping, got int"),
        ({"inputs": []}, "request: $.inputs: expected a mapping, got list"),
        (Evil(deployment_id="d"), "request: cannot be read: LookupError"),
    ],
)
def test_invalid_request_is_failure(request_value, message):
    error = keyed(request_value, "k").failure()
    assert isinstance(error, SDKValidationError)
    assert error.message == message
    assert [problem.path for problem in error.problems] == (
        ["$.inputs"] if "$.inputs" in message else ["$"] if "expected" in message else []
    )


def test_memory_errors_pass():
    class Full(dict):
        def get(self, *_):
            raise MemoryError

    with pytest.raises(MemoryError):
        keyed(Full(), "k")


@pytest.mark.parametrize("inputs", [None, "k", {}, {KEY_INPUT: 5}, [KEY_INPUT]])
def test_inputs_without_key(inputs):
    assert key_of(inputs) is None
