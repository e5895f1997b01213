"""Requests are answered by respx."""

import json

import pytest

from comfydeploy import Failure, Success, errors

httpx = pytest.importorskip("httpx")
respx = pytest.importorskip("respx")

CORE = {"bearer": "key", "server_url": "https://service.invalid/api"}


@pytest.fixture
def service():
    with respx.mock(base_url=CORE["server_url"]) as router:
        yield router


def test_response_is_mocked(way, service):
    route = service.post("/run/queue").respond(json={"run_id": "r"})
    assert way(CORE, "run_queue", {"deployment_id": "d", "inputs": {"prompt": "a cat"}}).unwrap().run_id == "r"
    (called,) = route.calls
    assert json.loads(called.request.content) == {"deployment_id": "d", "inputs": {"prompt": "a cat"}}
    assert called.request.headers["authorization"] == "Bearer key"


def test_status_is_mocked(way, service):
    service.get("/run/r").respond(404, json={"detail": "Run not found"})
    match way(CORE, "run_get", "r"):
        case Failure(errors.SDKError() as error):
            assert (error.status_code, error.detail) == (404, "Run not found")
        case other:
            pytest.fail(str(other))


def test_connection_error_is_mocked(way, service):
    service.get("/run/r").mock(side_effect=httpx.ConnectError("no route"))
    assert way(CORE, "run_get", "r").failure().fate == "not_sent"


def test_lost_response_is_mocked(way, service):
    service.post("/run/queue").mock(side_effect=httpx.ReadTimeout("too late"))
    error = way(CORE, "run_queue", {"deployment_id": "d"}).failure()
    assert (type(error), error.fate) == (errors.RequestTimeoutError, "unknown")


def test_stream_is_mocked(way, service):
    events = 'event: log_update\ndata: {"logs": "a"}\n\nevent: log_update\ndata: {"logs": "b"}\n\n'
    service.post("/run/stream").respond(text=events, content_type="text/event-stream")
    items = way(CORE, "run_stream", {"deployment_id": "d"})
    assert [type(item) for item in items] == [Success, Success]
    assert [item.unwrap().data.logs for item in items] == ["a", "b"]


def test_other_requests_pass_through(way, service, local):
    service.route(host="127.0.0.1").pass_through()
    assert isinstance(way(local, "deployments_list"), Success)
