"""Parameters of routes; an invalid one is named before sending."""

from datetime import UTC, datetime

import pytest

from comfydeploy._wire.route import FLAG, FOLDER, TEXT, TIME, at_least, patching, posting, posting_values, route
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import CreateSessionRequest, UpdateDeploymentRequest

ENCODE = route("GET", "/workflow/{workflow_id}/runs", limit=at_least(1), environment=TEXT, is_fluid=FLAG)
USUAL = {"workflow_id": "w", "limit": 1, "environment": None, "is_fluid": None}


def test_parameters_fill_path_then_query():
    request = ENCODE({"workflow_id": "a/b", "limit": 5, "environment": "x y", "is_fluid": False})
    assert (request.method, request.url) == ("GET", "/workflow/a%2Fb/runs?limit=5&environment=x+y&is_fluid=false")


def test_missing_parameters_are_omitted():
    assert ENCODE(USUAL).url == "/workflow/w/runs?limit=1"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("workflow_id", value, "expected a string") for value in (None, 5)),
        *(("environment", value, "expected a string") for value in (5, b"x", {"x": 1})),
        *(("is_fluid", value, "expected true or false") for value in (0, 1, "true")),
        *(("limit", value, "expected an integer not below 1") for value in (None, 0, -1, True, 2.0, "5")),
    ],
)
def test_wrong_value_is_named(name, value, expected):
    with pytest.raises(SDKValidationError, match=f"{name}: {expected}, got {type(value).__name__}") as caught:
        ENCODE({**USUAL, name: value})
    assert [problem.path for problem in caught.value.problems] == [f"$.{name}"]
    assert caught.value.raw_value is value


def test_model_and_mapping_are_posted_unchanged():
    encode = posting("/session", CreateSessionRequest)
    for request in (CreateSessionRequest(machine_id="m", timeout=5), {"machine_id": "m", "timeout": 5}):
        assert encode(request).content == b'{"machine_id":"m","timeout":5}'


def test_change_has_path_and_model():
    encode = patching("/deployment/{deployment_id}", UpdateDeploymentRequest)
    for change in (UpdateDeploymentRequest(gpu="T4"), {"gpu": "T4"}):
        request = encode({"deployment_id": "a/b", "request": change})
        assert (request.method, request.url, request.content) == ("PATCH", "/deployment/a%2Fb", b'{"gpu":"T4"}')
    with pytest.raises(SDKValidationError, match="request: "):
        encode({"deployment_id": "d", "request": {"gpus": 1}})


def test_values_are_posted_by_name():
    encode = posting_values("/session/{session_id}/increase-timeout", minutes=at_least(1))
    request = encode({"session_id": "s", "minutes": 5})
    assert (request.method, request.url) == ("POST", "/session/s/increase-timeout")
    assert (request.content, request.route) == (b'{"minutes":5}', "/session/{session_id}/increase-timeout")
    assert posting_values("/assets/folder", name=TEXT)({"name": "a"}).route is None
    with pytest.raises(SDKValidationError, match="minutes: expected an integer not below 1, got int 0"):
        encode({"session_id": "s", "minutes": 0})


@pytest.mark.parametrize(
    ("path", "sent"), [("/", "%2F"), ("", "%2F"), ("///", "%2F"), ("a", "a"), ("/a/b/", "a%2Fb"), ("a b", "a+b")]
)
def test_folder_is_sent_as_the_server_stores_it(path, sent):
    assert route("GET", "/assets", path=FOLDER)({"path": path}).url == f"/assets?path={sent}"


def test_time_is_sent_with_its_zone():
    encode = route("GET", "/usage", start_time=TIME)
    assert encode({"start_time": datetime(2026, 1, 2, tzinfo=UTC)}).url == (
        "/usage?start_time=2026-01-02T00%3A00%3A00%2B00%3A00"
    )
    with pytest.raises(SDKValidationError, match="start_time: expected an aware datetime"):
        encode({"start_time": datetime(2026, 1, 2)})  # noqa: DTZ001 - what it is about
