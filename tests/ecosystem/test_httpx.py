"""The hooks of httpx itself: event hooks of a client, and a log line for each request."""

import logging

import pytest
from ways import call

from comfydeploy import Failure, Success, errors


@pytest.mark.parametrize("color", ["blocking", "async"])
def test_event_hooks_see_each_request(color, local, picture):
    seen = []

    def on_request(request):
        seen.append((request.method, request.url.path))

    def on_response(response):
        seen.append(response.status_code)

    async def on_request_async(request):
        on_request(request)

    async def on_response_async(response):
        on_response(response)

    hooks = (on_request, on_response) if color == "blocking" else (on_request_async, on_response_async)
    event_hooks = {"request": [hooks[0]], "response": [hooks[1]]}
    queued = call(f"{color}, given client", local, "run_queue", picture, event_hooks=event_hooks)
    assert isinstance(queued, Success)
    streamed = call(f"{color}, given client", local, "run_stream", picture, event_hooks=event_hooks)
    assert all(isinstance(item, Success) for item in streamed)
    assert seen == [("POST", "/api/run/queue"), 200, ("POST", "/api/run/stream"), 200]


@pytest.mark.parametrize("color", ["blocking", "async"])
def test_event_hooks_may_raise(color, local):
    def refuse(request):
        raise ValueError("not this one")

    async def refuse_async(request):
        refuse(request)

    event_hooks = {"request": [refuse if color == "blocking" else refuse_async]}
    match call(f"{color}, given client", local, "deployments_list", event_hooks=event_hooks):
        case Failure(errors.UnexpectedClientError() as error):
            assert isinstance(error.__cause__, ValueError)
        case other:
            pytest.fail(str(other))


def test_httpx_logs_each_request(way, local, picture, caplog):
    caplog.set_level(logging.INFO, "httpx")
    assert isinstance(way(local, "run_queue", picture), Success)
    way(local, "run_stream", picture)
    url = local["server_url"]
    assert [record.getMessage() for record in caplog.records if record.name == "httpx"] == [
        f'HTTP Request: POST {url}/run/queue "HTTP/1.1 200 OK"',
        f'HTTP Request: POST {url}/run/stream "HTTP/1.1 200 OK"',
    ]
