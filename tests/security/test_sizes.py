"""No response, event, head or file fills the memory: compressed, announced, endless."""

import gzip
import zlib

import httpx
import pytest

from comfydeploy import RequestOptions, errors, unwrap
from comfydeploy._wire import server_sent_events

REQUEST = {"deployment_id": "d"}
RUN = b'{"id": "r", "status": "queued", "live_status": "%s"}'
SMALL = RequestOptions(max_response_size=1000)
BIGGER = RequestOptions(max_response_size=1_000_000)
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def refusal(result):
    error = result.failure()
    assert isinstance(error, errors.SDKError)
    assert error.fate == "answered"
    return error


@pytest.mark.parametrize("status", [200, 404, 500])
def test_large_body_is_not_read(calls, raw, answer, status):
    server = raw(answer(status, RUN % (b"x" * 1000)))
    error = refusal(calls("run_get", calls.core(server.url), "r", SMALL))
    assert (error.status_code, error.body) == (status, "")
    assert "larger than 1,000 bytes (options.max_response_size)" in error.message


def test_body_of_limit_is_read(calls, raw, answer):
    body = RUN % b"x"
    exact = RequestOptions(max_response_size=len(body))
    assert unwrap(calls("run_get", calls.core(raw(answer(200, body)).url), "r", exact)).id == "r"


def test_run_may_exist_behind_large_body(calls, raw, answer):
    error = refusal(calls("run_queue", calls.core(raw(answer(200, b"x" * 1001)).url), REQUEST, SMALL))
    assert "A run may have been created" in error.hint


def test_endless_body_ends(calls, raw):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
    server = raw([head, *[b"x" * 500] * 3, "hang"])
    refusal(calls("run_get", calls.core(server.url), "r", SMALL))
    assert server.left.wait(5)


@pytest.mark.parametrize(("pack", "encoding"), [(gzip.compress, "gzip"), (zlib.compress, "deflate")])
def test_bomb_is_stopped(calls, raw, answer, pack, encoding):
    core = calls.core(raw(answer(200, pack(b"0" * 2_000_000), content_encoding=encoding)).url)
    assert "larger than 1,000,000" in refusal(calls("run_get", core, "r", BIGGER)).message


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "gzip, br", "x"])
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_unrequested_encoding_is_not_read(calls, raw, answer, encoding, kind):
    core = calls.core(raw(answer(200, b"x", kind, content_encoding=encoding)).url)
    name = "run_get" if kind == "application/json" else "run_stream"
    error = refusal(calls(name, core, "r" if name == "run_get" else REQUEST))
    assert f"encoded as {encoding!r}, which was not requested" in error.message


def test_encoding_that_client_requests_is_read(calls, raw, answer):
    headers = {"accept-encoding": "br;q=1, GZIP"}
    given = {"http_client": httpx.Client(headers=headers), "async_http_client": httpx.AsyncClient(headers=headers)}
    body = gzip.compress(RUN % b"x")
    core = calls.core(raw(answer(200, body, content_encoding="GZip ")).url, **given)
    assert unwrap(calls("run_get", core, "r")).id == "r"
    given["http_client"].close()
    calls.run(given["async_http_client"].aclose())


def test_endless_event_comes_in_parts(calls, raw, monkeypatch):
    monkeypatch.setattr(server_sent_events, "LIMIT", 50_000)
    # More than is read at once, as the pieces may arrive together.
    server = raw([STREAM + b"\r\n", b"event: event_update\ndata: ", *[b"{" * 50_000] * 8, "hang"])
    items = calls.items(unwrap(calls("run_stream", calls.core(server.url), REQUEST)), 2)
    assert all(isinstance(item.failure(), errors.MalformedEvent) for item in items)


def test_endless_head_ends(calls, raw):
    server = raw([b"HTTP/1.1 200 OK\r\n", *[b"x-a: " + b"y" * 30_000 + b"\r\n"] * 5, "hang"])
    error = calls("run_get", calls.core(server.url), "r", RequestOptions(timeout=20)).failure()
    assert isinstance(error, errors.ConnectionError)


@pytest.mark.parametrize("most", [0, -1, True, 1.5, "5", None])
def test_limit_is_checked(calls, most):
    error = calls("run_get", calls.core(), "r", RequestOptions(max_response_size=most)).failure()
    assert isinstance(error, errors.SDKValidationError)
    assert "options.max_response_size: expected bytes as an integer above 0" in str(error)


def test_limit_has_its_default():
    assert RequestOptions().max_response_size == server_sent_events.LIMIT == 64 * 1024 * 1024
