import gzip
from datetime import UTC, datetime

import httpx
import pytest

from comfydeploy._emulator.web import recorder
from comfydeploy._emulator.web.contents import MOST_KEPT
from comfydeploy.emulator import Emulator, ReceivedFile, ReceivedRequest


@pytest.fixture
def emulator():
    with Emulator(port=None, pace=0) as emulator:
        yield emulator


@pytest.fixture
def http(emulator):
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    with httpx.Client(base_url=emulator.url, headers=headers, transport=emulator.transport) as client:
        yield client


def test_request_is_recorded_completely(emulator, http):
    before = datetime.now(UTC)
    body = {"deployment_id": emulator.deployments["picture"], "inputs": {"prompt": "a cat"}}
    http.post("/run/queue", params={"a": "1", "b": ""}, json=body, headers={"x-trace": "t"})
    (request,) = emulator.requests
    assert isinstance(request, ReceivedRequest)
    assert (request.method, request.path, request.query) == ("POST", "/api/run/queue", {"a": "1", "b": ""})
    assert (request.operation, request.status, request.body) == ("run_queue", 200, body)
    assert request.headers["x-trace"] == "t"
    assert request.size == int(request.headers["content-length"])
    assert before <= request.moment <= datetime.now(UTC)


def test_requests_are_ordered_and_can_be_cleared(emulator, http):
    for path in ("/deployments", "/run/queue", "/nope"):
        http.get(path)
    assert [(one.operation, one.status) for one in emulator.requests] == [
        ("deployments_list", 200),
        ("run_get", 422),
        (None, 404),
    ]
    emulator.clear_requests()
    assert emulator.requests == ()


def test_key_is_not_shown(emulator, http):
    http.get("/deployments")
    for wrong in ("Bearer another-key", "bearer another-key", "another-key", "another-key x"):
        http.get("/deployments", headers={"authorization": wrong})
    shown = [one.headers["authorization"] for one in emulator.requests]
    assert shown == ["Bearer ***", "Bearer ***", "bearer ***", "***", "***"]
    assert emulator.bearer not in str(emulator.requests)
    assert "another-key" not in str(emulator.requests)


def test_request_is_there_before_it_is_answered(emulator, http):
    emulator.fail("run_queue", hang=True)
    with pytest.raises(httpx.ReadTimeout):
        http.post("/run/queue", json={"a": 1}, timeout=0.02)
    assert [(one.status, one.body) for one in emulator.requests] == [(None, {"a": 1})]


def test_answer_of_fault_is_recorded(emulator, http):
    emulator.fail("run_queue", status=503)
    http.post("/run/queue", json={"a": 1})
    assert [(one.status, one.body) for one in emulator.requests] == [(503, {"a": 1})]


def test_upload_is_recorded_by_name_and_size(emulator, http):
    files = {"file": ("кот.png", b"x" * 3_000_000, "image/png")}
    http.post("/file/upload", files=files, data={"note": "a note"})
    (request,) = emulator.requests
    assert request.body == {"file": ReceivedFile("кот.png", "image/png", 3_000_000), "note": "a note"}
    assert request.operation == "file_upload"


def test_compressed_body_stays_compressed(emulator, http):
    http.post("/run/queue", content=gzip.compress(b"{}"), headers={"content-type": "application/json"})
    assert emulator.requests[0].status == 422


def test_only_last_requests_are_remembered(monkeypatch):
    monkeypatch.setattr(recorder, "MOST", 3)
    with Emulator(port=None) as emulator, httpx.Client(transport=emulator.transport) as client:
        for number in range(5):
            client.get("http://emulator/nope", params={"number": number})
        assert [one.query["number"] for one in emulator.requests] == ["2", "3", "4"]


def test_bytes_of_recorded_bodies_are_limited(emulator, http):
    http.get("/deployments")
    for number in range(70):
        http.post(
            "/run/queue", params={"number": number}, content=b" " * MOST_KEPT, headers={"content-type": "text/plain"}
        )
    assert 60 <= len(emulator.requests) < 66
    assert emulator.requests[-1].query == {"number": "69"}


def test_page_requests_are_not_recorded(emulator, http):
    emulator.fail("*", status=503)
    with httpx.Client(transport=emulator.transport) as browser:
        assert browser.get("http://127.0.0.1/").status_code == 200
    assert emulator.requests == ()
