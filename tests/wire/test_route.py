"""Parameters of routes; an invalid one is named before sending."""

from datetime import UTC, datetime, time

import pytest

from comfydeploy._wire.route import (
    FLAG,
    FOLDER,
    MOMENT,
    REQUIRED,
    TEXT,
    TIME,
    at_least,
    patching,
    posting,
    posting_values,
    route,
    uploading,
)
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import CreateSessionRequest, DeploymentRunRequest, UpdateDeploymentRequest

ENCODE = route("GET", "/workflow/{workflow_id}/runs", limit=at_least(1), environment=TEXT, is_fluid=FLAG)
USUAL = {"workflow_id": "w", "limit": 1, "environment": None, "is_fluid": None}


def test_parameters_fill_path_then_query():
    request = ENCODE({"workflow_id": "a/b", "limit": 5, "environment": "x y", "is_fluid": False})
    assert (request.method, request.url) == ("GET", "/workflow/a%2Fb/runs?limit=5&environment=x+y&is_fluid=false")
    assert request.route == "/workflow/{workflow_id}/runs"
    assert route("GET", "/runs", limit=at_least(0))({"limit": 0}).route is None


def test_missing_parameters_are_omitted():
    assert ENCODE(USUAL).url == "/workflow/w/runs?limit=1"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("workflow_id", None, "expected a string, got NoneType"),
        ("workflow_id", 5, "expected a string, got int"),
        ("environment", 5, "expected a string, got int 5"),
        ("environment", b"x", "expected a string, got bytes"),
        ("is_fluid", 1, "expected true or false, got int 1"),
        ("is_fluid", "true", "expected true or false, got str"),
        ("limit", None, "expected an integer not below 1, got NoneType"),
        ("limit", 0, "expected an integer not below 1, got int 0"),
        ("limit", True, "expected an integer not below 1, got bool True"),
        ("limit", 2.5, "expected an integer not below 1, got float 2.5"),
        ("limit", "5", "expected an integer not below 1, got str"),
    ],
)
def test_wrong_value_is_named(name, value, reason):
    with pytest.raises(SDKValidationError) as caught:
        ENCODE({**USUAL, name: value})
    assert str(caught.value) == f"{name}: {reason}"
    assert [problem.path for problem in caught.value.problems] == [f"$.{name}"]
    assert caught.value.raw_value is value


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (REQUIRED, [None, "", 5], "a non-empty string"),
        (FOLDER, [None, 5], "a string"),
        (MOMENT, [5, datetime(2026, 1, 2), time(tzinfo=UTC)], "an aware datetime"),  # noqa: DTZ001 - without a zone
        (TIME, ["2026", datetime(2026, 1, 2), time(tzinfo=UTC)], "an aware datetime"),  # noqa: DTZ001 - without a zone
    ],
)
def test_value_of_another_kind_is_refused(kind, values, expected):
    for value in values:
        with pytest.raises(SDKValidationError, match=f"^x: expected {expected}, got "):
            route("GET", "/thing", x=kind)({"x": value})


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        (REQUIRED, "a", "?x=a"),
        (TEXT, "", "?x="),
        (FLAG, True, "?x=true"),
        (MOMENT, datetime(1970, 1, 2, 0, 0, 1, 900_000, UTC), "?x=86401"),
        (MOMENT, None, ""),
        (TIME, None, ""),
    ],
)
def test_value_is_sent_as_text(kind, value, sent):
    assert route("GET", "/thing", x=kind)({"x": value}).url == f"/thing{sent}"


def test_model_and_mapping_are_posted_unchanged():
    encode = posting("/session", CreateSessionRequest)
    for request in (CreateSessionRequest(machine_id="m", timeout=5), {"machine_id": "m", "timeout": 5}):
        sent = encode(request)
        assert (sent.method, sent.url, sent.content) == ("POST", "/session", b'{"machine_id":"m","timeout":5}')


def test_wrong_model_is_named():
    for request, reason in [
        ({"deployment_id": 5}, "$.deployment_id: expected a string, got int"),
        ({"deployment_id": "d", "inputs": {"a": b""}}, "$.inputs.a: bytes is not JSON serializable"),
    ]:
        with pytest.raises(SDKValidationError) as caught:
            posting("/run", DeploymentRunRequest)(request)
        assert caught.value.message.startswith(f"request: {reason}")


def test_change_has_path_and_model():
    encode = patching("/deployment/{deployment_id}", UpdateDeploymentRequest)
    for change in (UpdateDeploymentRequest(gpu="T4"), {"gpu": "T4"}):
        request = encode({"deployment_id": "a/b", "request": change})
        assert (request.method, request.url, request.content) == ("PATCH", "/deployment/a%2Fb", b'{"gpu":"T4"}')
        assert request.route == "/deployment/{deployment_id}"
    with pytest.raises(SDKValidationError, match="request: "):
        encode({"deployment_id": "d", "request": {"gpus": 1}})


def test_values_are_posted_by_name():
    encode = posting_values("/session/{session_id}/increase-timeout", minutes=at_least(1))
    request = encode({"session_id": "s", "minutes": 5})
    assert (request.method, request.url) == ("POST", "/session/s/increase-timeout")
    assert (request.content, request.route) == (b'{"minutes":5}', "/session/{session_id}/increase-timeout")
    assert posting_values("/assets/folder", name=TEXT)({"name": "a"}).route is None
    assert posting_values("/assets/folder", name=TEXT)({"name": None}).content == b'{"name":null}'
    for minutes, message in [
        (0, "minutes: expected an integer not below 1, got int 0"),
        (10**5000, "request: $.minutes: int is not JSON serializable"),
    ]:
        with pytest.raises(SDKValidationError) as caught:
            encode({"session_id": "s", "minutes": minutes})
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("path", "sent"),
    [("/", "%2F"), ("", "%2F"), ("///", "%2F"), ("a", "a"), ("/a/b/", "a%2Fb"), ("a b", "a+b"), ("X/", "X")],
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


def test_file_is_posted_with_its_name():
    progress = print
    request = uploading("/file/upload")({"file": b"PNG", "name": "a.png", "progress": progress})
    assert (request.method, request.url, request.content) == ("POST", "/file/upload", None)
    assert (request.upload.name, request.upload.source, request.upload.progress) == ("a.png", b"PNG", progress)
