"""The control routes, for tests in other processes and languages in place of the Emulator's methods."""

import httpx
import pytest

from comfydeploy.emulator import Emulator, Fault


@pytest.fixture
def emulator():
    with Emulator(port=None, pace=0) as emulator:
        yield emulator


@pytest.fixture
def http(emulator):
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    with httpx.Client(base_url="http://emulator", headers=headers, transport=emulator.transport) as client:
        yield client


@pytest.mark.parametrize("path", ["/_emulator/faults", "/_emulator/requests", "/_emulator/nope"])
def test_only_bearer_controls(emulator, http, path):
    assert http.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401


def test_fault_is_ordered_listed_met_and_cleared(emulator, http):
    options = {"operation": "run_queue", "status": 503, "times": 2, "retry_after": 1, "headers": {"x-odd": "1"}}
    answer = http.post("/_emulator/faults", json=options)
    assert answer.status_code == 201
    assert answer.json().items() >= options.items()
    assert emulator.faults == (Fault(**options),)
    assert http.get("/_emulator/faults").json() == [answer.json()]
    assert http.post("/api/run/queue").status_code == 503
    assert http.delete("/_emulator/faults").status_code == 204
    assert (emulator.faults, http.get("/_emulator/faults").json()) == ((), [])
    assert http.post("/api/run/queue").status_code == 422


def test_bytes_of_fault_are_listed_as_base64(emulator, http):
    emulator.fail(body=b"\xff")
    assert http.get("/_emulator/faults").json()[0]["body"] == "_w=="


@pytest.mark.parametrize(
    ("options", "place", "said"),
    [
        ({"operation": "nope", "status": 503}, ["body", "operation"], "run_queue"),
        ({"status": "503"}, ["body", "status"], "integer"),
        ({"colour": "red"}, ["body", "colour"], "not permitted"),
        ({}, ["body"], "needs an effect"),
        ({"hang": True, "status": 200}, ["body"], "exclude"),
        ([], ["body"], "dictionary"),
    ],
)
def test_invalid_fault_is_422(emulator, http, options, place, said):
    answer = http.post("/_emulator/faults", json=options)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == place
    assert said in problem["msg"]
    assert emulator.faults == ()


def test_requests_are_listed_and_forgotten(emulator, http):
    http.post("/api/run/queue", params={"a": "1"}, json={"inputs": {}})
    http.post("/api/file/upload", files={"file": ("a.png", b"xyz", "image/png")})
    queued, uploaded = http.get("/_emulator/requests").json()
    assert (queued["operation"], queued["query"], queued["body"]) == ("run_queue", {"a": "1"}, {"inputs": {}})
    assert queued["headers"]["authorization"] == "Bearer ***"
    assert uploaded["body"] == {"file": {"name": "a.png", "content_type": "image/png", "size": 3}}
    assert http.delete("/_emulator/requests").status_code == 204
    assert (emulator.requests, http.get("/_emulator/requests").json()) == ((), [])


def test_control_is_not_recorded_or_broken(emulator, http):
    emulator.fail("*", status=503)
    assert http.get("/_emulator/requests").json() == []
    assert emulator.requests == ()


def test_clock_runs_and_deliveries():
    headers = {"authorization": "Bearer local-key"}
    with (
        Emulator(port=None, clock="manual") as emulator,
        httpx.Client(base_url="http://emulator", headers=headers, transport=emulator.transport) as http,
    ):
        body = {"deployment_id": emulator.deployments["picture"], "webhook": "http://127.0.0.1:9/"}
        http.post("/api/run/queue", json=body)
        statuses = [[run["status"] for run in http.get("/_emulator/runs").json()]]
        answer = http.post("/_emulator/clock/advance", json={"seconds": 60})
        assert answer.json() == {"now": "2026-01-02T03:05:05.678Z"}
        statuses.append([run["status"] for run in http.get("/_emulator/runs").json()])
        assert statuses == [["not-started"], ["success"]]
        (first, *_) = http.get("/_emulator/deliveries").json()
        assert (first["address"], first["status"]) == ("http://127.0.0.1:9/", None)


def test_real_clock_cannot_be_advanced(http):
    answer = http.post("/_emulator/clock/advance", json={"seconds": 1})
    assert answer.status_code == 409
    assert "clock='manual'" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{}, {"seconds": -1}, {"seconds": "soon"}])
def test_time_that_cannot_pass_is_422(http, body):
    assert http.post("/_emulator/clock/advance", json=body).status_code == 422
