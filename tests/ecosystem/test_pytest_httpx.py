"""Requests are answered by pytest-httpx."""

import json

import httpx
import pytest

from comfydeploy import Success

pytest.importorskip("pytest_httpx")

CORE = {"bearer": "key", "server_url": "https://service.invalid/api"}


def test_response_is_mocked(way, httpx_mock):
    httpx_mock.add_response(method="POST", url="https://service.invalid/api/run/queue", json={"run_id": "r"})
    assert way(CORE, "run_queue", {"deployment_id": "d"}).unwrap().run_id == "r"
    (request,) = httpx_mock.get_requests()
    assert json.loads(request.content) == {"deployment_id": "d"}
    assert request.headers["authorization"] == "Bearer key"


def test_exception_is_mocked(way, httpx_mock):
    httpx_mock.add_exception(httpx.ConnectTimeout("no route"))
    assert way(CORE, "run_get", "r").failure().fate == "not_sent"


def test_stream_is_mocked(way, httpx_mock):
    events = [b'event: log_update\ndata: {"logs": "a"}\n\n', b'event: log_update\ndata: {"logs": "b"}\n\n']
    headers = {"content-type": "text/event-stream"}
    httpx_mock.add_response(stream=pytest.importorskip("pytest_httpx").IteratorStream(events), headers=headers)
    items = way(CORE, "run_stream", {"deployment_id": "d"})
    assert [type(item) for item in items] == [Success, Success]
    assert [item.unwrap().data.logs for item in items] == ["a", "b"]
