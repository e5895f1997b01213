"""Calls over sockets: every behaviour of a server becomes a value, and nothing is sent twice by accident."""

import gzip
import json
import pickle
import socket

import httpx
import pytest

from comfydeploy import BackoffStrategy, Failure, Hooks, RequestOptions, RetryConfig, Success, errors
from comfydeploy.models import CreateRunResponse, DeploymentRunRequest

RUN_ID = "11110000-0000-4000-8000-000000000001"
REQUEST = DeploymentRunRequest(deployment_id="d")
CREATED = json.dumps({"run_id": RUN_ID}).encode()
RUN = json.dumps({"id": RUN_ID, "status": "queued"}).encode()
AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0))


def failure(result):
    assert isinstance(result, Failure), result
    return result.failure()


@pytest.mark.parametrize("name", ["run_queue", "run_sync", "run_stream"])
class TestACallThatCreatesARun:
    @pytest.fixture
    def refusing(self, raw, answer):
        return lambda status: raw(answer(status, b'{"detail":"no"}'))

    @pytest.mark.parametrize("status", [500, 502, 504])
    def test_is_sent_once_when_server_fails(self, calls, raw, answer, name, status):
        server = raw(answer(status, b"Internal Server Error", "text/plain"))
        error = failure(calls(name, calls.core(server.url, retry_config=AT_ONCE), REQUEST))
        assert isinstance(error, errors.SDKError)
        assert error.status_code == status
        assert "may have been created" in str(error)
        assert len(server.requests) == 1

    def test_is_sent_once_when_connection_is_reset(self, calls, raw, name):
        server = raw([b"HTTP/1.1 2", "reset"])
        error = failure(calls(name, calls.core(server.url, retry_config=AT_ONCE), REQUEST))
        assert isinstance(error, errors.ConnectionError)
        assert error.fate == "unknown"
        assert len(server.requests) == 1

    def test_is_sent_once_when_server_closes(self, calls, raw, name):
        server = raw(["close"])
        error = failure(calls(name, calls.core(server.url, retry_config=AT_ONCE), REQUEST))
        assert isinstance(error, errors.ConnectionError)
        assert error.fate == "unknown"
        assert len(server.requests) == 1

    def test_is_sent_once_after_a_time_out(self, calls, raw, name):
        server = raw(["hang"])
        core = calls.core(server.url, retry_config=AT_ONCE)
        error = failure(calls(name, core, REQUEST, RequestOptions(timeout=0.05)))
        assert isinstance(error, errors.RequestTimeoutError)
        assert error.fate == "unknown"
        assert server.left.wait(5)  # until then it may not have read the request
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [429, 503])
    def test_is_sent_again_when_server_was_busy(self, calls, raw, answer, name, status):
        server = raw(answer(status, b"busy", "text/plain"), answer(status, b"busy", "text/plain"), answer(418))
        error = failure(calls(name, calls.core(server.url, retry_config=AT_ONCE), REQUEST))
        assert error.status_code == 418
        assert len(server.requests) == 3
        assert len({body for _, _, body in server.requests}) == 1

    def test_is_sent_again_after_codes_of_the_call(self, calls, raw, answer, name):
        server = raw(answer(500), answer(418))
        options = RequestOptions(retries=AT_ONCE, retry_codes=[500])
        assert failure(calls(name, calls.core(server.url), REQUEST, options)).status_code == 418
        assert len(server.requests) == 2

    def test_is_sent_once_without_retry_config(self, calls, raw, answer, name):
        server = raw(answer(503, b"busy", "text/plain"))
        error = failure(calls(name, calls.core(server.url), REQUEST))
        assert error.status_code == 503
        assert "may have been created" not in str(error)
        assert len(server.requests) == 1


class TestARead:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_is_sent_again_after_default_codes(self, calls, raw, answer, status):
        server = raw(answer(status), answer(200, RUN))
        result = calls("run_get", calls.core(server.url, retry_config=AT_ONCE), RUN_ID)
        assert result.unwrap().status == "queued"
        assert len(server.requests) == 2

    @pytest.mark.parametrize("trouble", ["reset", "close"])
    def test_is_sent_again_after_lost_connection(self, calls, raw, answer, trouble):
        server = raw([trouble], [b"HTTP/1.1 200", trouble], answer(200, RUN))
        assert isinstance(calls("run_get", calls.core(server.url, retry_config=AT_ONCE), RUN_ID), Success)
        assert len(server.requests) == 3

    def test_is_sent_again_after_a_time_out(self, calls, raw, answer):
        server = raw(["hang"], answer(200, RUN))
        core = calls.core(server.url, retry_config=AT_ONCE, timeout=0.1)
        assert isinstance(calls("run_get", core, RUN_ID), Success)

    def test_connection_retries_can_be_off(self, calls, raw):
        server = raw(["reset"])
        config = RetryConfig("backoff", AT_ONCE.backoff, retry_connection_errors=False)
        assert failure(calls("run_get", calls.core(server.url, retry_config=config), RUN_ID)).fate == "unknown"
        assert len(server.requests) == 1

    def test_stops_when_retry_after_exceeds_budget(self, calls, raw, answer):
        server = raw(answer(503, retry_after="0"), answer(503, retry_after="7200"), answer(200, RUN))
        error = failure(calls("run_get", calls.core(server.url, retry_config=AT_ONCE), RUN_ID))
        assert error.status_code == 503
        assert len(server.requests) == 2


def test_refused_connection_is_retried_for_runs(calls):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    attempts = []

    def count(context, _):
        attempts.append(context.attempt)
        if len(attempts) == 3:
            raise EOFError

    core = calls.core(f"http://127.0.0.1:{port}", retry_config=AT_ONCE, hooks=[Hooks(before_request=count)])
    assert isinstance(failure(calls("run_queue", core, REQUEST)).__cause__, EOFError)
    assert attempts == [0, 1, 2]


def test_refused_connection_was_not_sent(calls):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(calls("run_queue", calls.core(f"http://127.0.0.1:{port}"), REQUEST))
    assert isinstance(error, errors.ConnectionError)
    assert error.fate == "not_sent"


class TestAnAnswerThatIsNone:
    @pytest.mark.parametrize(
        "garbage",
        [b"garbage\r\n\r\n", b"\x00\xff\xfe" * 50, b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"],
    )
    def test_that_is_no_http_is_connection_error(self, calls, raw, garbage):
        error = failure(calls("run_queue", calls.core(raw([garbage, "close"]).url), REQUEST))
        assert isinstance(error, errors.ConnectionError)
        assert error.fate == "unknown"

    def test_that_is_cut_is_connection_error(self, calls, raw, answer):
        error = failure(calls("run_queue", calls.core(raw([answer(200, CREATED)[:-5], "close"]).url), REQUEST))
        assert isinstance(error, errors.ConnectionError)
        assert error.fate == "unknown"

    def test_invalid_json_is_validation_error(self, calls, raw, answer):
        error = failure(calls("run_queue", calls.core(raw(answer(200, b'{"run_id": ')).url), REQUEST))
        assert isinstance(error, errors.SDKValidationError)
        assert error.fate == "answered"
        assert error.raw_value == '{"run_id": '

    def test_that_does_not_fit_model_names_path(self, calls, raw, answer):
        error = failure(calls("run_queue", calls.core(raw(answer(200, b'{"run_id": null}')).url), REQUEST))
        assert isinstance(error, errors.SDKValidationError)
        assert error.fate == "answered"
        assert [problem.path for problem in error.problems] == ["$.run_id"]

    @pytest.mark.parametrize("given", [False, True])
    def test_that_is_lost_holds_no_token(self, calls, raw, given):
        clients = {"http_client": httpx.Client(), "async_http_client": httpx.AsyncClient()} if given else {}
        error = failure(calls("run_queue", calls.core(raw(["close"]).url, **clients), REQUEST))
        assert isinstance(error.__cause__, httpx.RemoteProtocolError)
        link = error
        while link:
            assert "key-of-the-test" not in f"{link!r} {vars(link)}"
            assert (getattr(link, "_request", None), link.__traceback__) == (None, None)
            link = link.__cause__ or link.__context__
        if given:
            clients["http_client"].close()
            calls.run(clients["async_http_client"].aclose())

    def test_bad_compression_is_sdk_error(self, calls, raw, answer):
        server = raw(answer(200, b"not gzip at all", content_encoding="gzip"))
        error = failure(calls("run_queue", calls.core(server.url), REQUEST))
        assert isinstance(error, errors.SDKError)
        assert error.status_code == 200
        assert error.fate == "answered"
        assert isinstance(error.__cause__, httpx.DecodingError)
        assert error.__cause__._request is None
        assert "A run may have been created" in error.hint

    def test_of_another_content_type_is_sdk_error(self, calls, raw, answer):
        error = failure(calls("run_queue", calls.core(raw(answer(200, b"<html>hello", "text/html")).url), REQUEST))
        assert isinstance(error, errors.SDKError)
        assert (error.status_code, error.content_type, error.detail) == (200, "text/html", None)
        assert error.body == "<html>hello"

    def test_unexpected_stream_is_not_read(self, calls, raw):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        server = raw([head, "hang"])
        error = failure(calls("run_queue", calls.core(server.url), {"deployment_id": "d", "execution_mode": "stream"}))
        assert isinstance(error, errors.SDKError)
        assert "text/event-stream" in error.message
        assert server.left.wait(5)

    def test_redirect_is_never_followed(self, calls, raw, answer):
        elsewhere = raw(answer(200, RUN))
        server = raw(answer(307, location=f"{elsewhere.url}/run/{RUN_ID}"))
        error = failure(calls("run_get", calls.core(server.url), RUN_ID))
        assert isinstance(error, errors.SDKError)
        assert error.status_code == 307
        assert elsewhere.requests == []

    def test_of_ten_megabytes_is_kept_and_not_printed(self, calls, raw, answer):
        server = raw(answer(500, b"x" * 10_000_000, "text/plain"))
        error = failure(calls("run_get", calls.core(server.url), RUN_ID))
        assert len(error.body) == 10_000_000
        assert len(str(error)) < 1000
        assert len(repr(error)) < 1000

    def test_that_is_binary_keeps_its_bytes(self, calls, raw, answer):
        error = failure(calls("run_get", calls.core(raw(answer(502, b"\xff\xfe\x00", "image/png")).url), RUN_ID))
        assert error.body == b"\xff\xfe\x00"

    def test_compressed_with_gzip_is_read(self, calls, raw, answer):
        server = raw(answer(200, gzip.compress(CREATED), content_encoding="gzip"))
        assert calls("run_queue", calls.core(server.url), REQUEST).unwrap() == CreateRunResponse(run_id=RUN_ID)


class TestWrongArguments:
    @pytest.mark.parametrize("request_", [None, 7, "x", {}, {"inputs": {}}, {"deployment_id": 5}, [REQUEST], object()])
    def test_as_request_send_nothing(self, calls, request_):
        for name in ("run_queue", "run_sync", "run_stream"):
            error = failure(calls(name, calls.core(), request_))
            assert isinstance(error, errors.SDKValidationError)
            assert error.fate == "not_sent"

    @pytest.mark.parametrize("run_id", [None, 5, "", ".", "..", b"x"])
    def test_as_run_id_are_validation_error(self, calls, run_id):
        assert isinstance(failure(calls("run_get", calls.core(), run_id)), errors.SDKValidationError)

    @pytest.mark.parametrize(
        "options",
        [
            5,
            {"timeout": 5},
            RequestOptions(timeout="soon"),
            RequestOptions(timeout=True),
            RequestOptions(timeout=-1),
            RequestOptions(idle_timeout="soon"),
            RequestOptions(retries="always"),
            RequestOptions(retry_codes="500"),
            RequestOptions(retry_codes=["500"]),
        ],
    )
    def test_as_options_are_validation_error(self, calls, options):
        assert isinstance(failure(calls("run_get", calls.core(), RUN_ID, options)), errors.SDKValidationError)

    @pytest.mark.parametrize(
        "options",
        [
            RequestOptions(server_url="ftp://x"),
            RequestOptions(server_url=5),
            RequestOptions(headers={"bad name": "x"}),
            RequestOptions(headers={"x": "a\r\nb"}),
            RequestOptions(headers={"x": 5}),
            RequestOptions(headers=5),
        ],
    )
    def test_that_make_no_request_are_invalid_request(self, calls, options):
        error = failure(calls("run_get", calls.core(), RUN_ID, options))
        assert isinstance(error, errors.InvalidRequestError)
        assert error.fate == "not_sent"

    def test_as_core_are_failure_too(self, calls):
        error = failure(calls("run_get", None, RUN_ID))
        assert isinstance(error, errors.SDKValidationError)
        assert str(error) == "core: expected a ComfyDeployCore, got NoneType"


def test_options_of_call_reach_wire(calls, raw, answer):
    server = raw(answer(200, RUN))
    options = RequestOptions(headers={"X-Trace": "1", "User-Agent": "mine"}, server_url=f"{server.url}/other/")
    assert isinstance(calls("run_get", calls.core(), RUN_ID, options, queue_position=True), Success)
    line, headers, _ = server.requests[0]
    assert line == f"GET /other/run/{RUN_ID}?queue_position=true HTTP/1.1"
    assert headers["x-trace"] == "1"
    assert headers["user-agent"] == "mine"
    assert headers["authorization"] == "Bearer key-of-the-test"


def test_values_are_sent_unchanged(calls, raw, answer):
    server = raw(answer(200, CREATED))
    inputs = {"prompt": "a cat ☃", "seed": 2**70, "nested": ["x", {"y": None}], "f": 0.1, "b": False, "lone": "\ud800"}
    graph = {"3": {"class_type": "KSampler", "inputs": {"model": ["4", 0], "x": None}}}
    request = {"workflow_id": "w", "workflow_api_json": graph, "inputs": inputs, "webhook": None, "flags": ("a",)}
    assert isinstance(calls("run_queue", calls.core(server.url), request), Success)
    assert json.loads(server.requests[0][2]) == request | {"flags": ["a"]}


def test_cookies_of_server_are_never_sent_back(calls, raw, answer):
    server = raw(answer(200, RUN, set_cookie="__session=evil; Path=/"))
    core = calls.core(server.url)
    for _ in range(2):
        assert isinstance(calls("run_get", core, RUN_ID), Success)
    assert all("cookie" not in headers for _, headers, _ in server.requests)


def test_connection_is_reused(calls, raw, answer):
    server = raw(answer(200, RUN))
    core = calls.core(server.url)
    for _ in range(3):
        assert isinstance(calls("run_get", core, RUN_ID), Success)
    assert len(server.connections) == 1


def test_closed_core_makes_every_call_aborted_one(calls, raw, answer):
    server = raw(answer(200, RUN))
    core = calls.core(server.url)
    assert isinstance(calls("run_get", core, RUN_ID), Success)
    calls.close_core(core)
    error = failure(calls("run_get", core, RUN_ID))
    assert isinstance(error, errors.RequestAbortedError)
    assert error.fate == "not_sent"


def test_other_transport_error_is_unexpected(calls):
    def handler(_):
        raise LookupError("no such thing")

    error = failure(calls("run_queue", calls.core(transport=httpx.MockTransport(handler)), REQUEST))
    assert isinstance(error, errors.UnexpectedClientError)
    assert error.fate == "unknown"
    assert isinstance(error.__cause__, LookupError)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, MemoryError])
def test_interrupts_pass_through(calls, stop):
    def handler(_):
        raise stop

    core = calls.core(transport=httpx.MockTransport(handler))
    with pytest.raises(stop):
        calls("run_get", core, RUN_ID)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_interrupts_of_the_bearer_pass_through(calls, stop):
    def token():
        raise stop

    with pytest.raises(stop):
        calls("run_get", calls.core(bearer=token), RUN_ID)


class TestAClientOfOurs:
    def test_goes_through_proxy_of_environment(self, calls, raw, answer, monkeypatch):
        proxy = raw(answer(200, RUN))
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert isinstance(calls("run_get", calls.core("http://nowhere.test/api"), RUN_ID), Success)
        assert proxy.requests[0][0] == f"GET http://nowhere.test/api/run/{RUN_ID} HTTP/1.1"

    def test_close_at_the_start_of_a_call_aborts(self, calls, raw, answer):
        server = raw(answer(200, RUN))
        core = calls.core(server.url)

        async def close_async():
            await core.connections.async_client(lasting=False).aclose()

        core.connections.client(lasting=False).close()
        calls.run(close_async())
        assert isinstance(failure(calls("run_get", core, RUN_ID)), errors.RequestAbortedError)
        assert server.requests == []

    def test_keeps_no_cookies(self, calls, raw, answer):
        server = raw(answer(200, RUN, set_cookie="session=1"))
        core = calls.core(server.url)
        for _ in range(2):
            assert isinstance(calls("run_get", core, RUN_ID), Success)
        assert "cookie" not in server.requests[1][1]


def test_body_read_by_a_client_hook(calls, raw, answer):
    read = []

    def look(response):
        read.append(response.read())

    async def look_async(response):
        read.append(await response.aread())

    server = raw(answer(200, RUN))
    client = httpx.Client(event_hooks={"response": [look]})
    async_client = httpx.AsyncClient(event_hooks={"response": [look_async]})
    core = calls.core(server.url, http_client=client, async_http_client=async_client)
    assert calls("run_get", core, RUN_ID).unwrap().id == RUN_ID
    assert read == [RUN]
    client.close()
    calls.run(async_client.aclose())


@pytest.mark.parametrize("status", [200, 500])
def test_echoed_token_is_hidden(calls, raw, answer, status):
    seen = []
    hooks = [Hooks(after_error=lambda *what: seen.append(what))]
    compressed = {"content_encoding": "gzip"} if status == 200 else {}
    server = raw(answer(status, b"what you sent: a-secret-key", x_sent="Bearer a-secret-key", **compressed))
    core = calls.core(server.url, bearer="a-secret-key", hooks=hooks)
    error = failure(calls("run_get", core, RUN_ID))
    assert "a-secret-key" not in str(pickle.dumps(error))
    assert "a-secret-key" not in "".join(f"{one!r} {getattr(one, 'headers', '')}" for what in seen for one in what)
    assert seen


class TestARotatedKey:
    @pytest.fixture
    def rotating(self, calls, raw, answer):
        def core(*keys):
            left = list(keys)
            server = raw(answer(401, b'{"detail":"Invalid or expired token"}'), answer(200, RUN))
            return server, calls.core(server.url, bearer=lambda: left.pop(0))

        return core

    def test_is_used_after_401(self, calls, rotating):
        server, core = rotating("old-key", "new-key", "newer-key")
        assert isinstance(calls("run_get", core, RUN_ID), Success)
        assert [headers["authorization"] for _, headers, _ in server.requests] == ["Bearer old-key", "Bearer new-key"]

    def test_that_is_same_ends_call(self, calls, rotating):
        server, core = rotating("old-key", "old-key")
        assert failure(calls("run_get", core, RUN_ID)).status_code == 401
        assert len(server.requests) == 1

    def test_that_cannot_be_read_ends_call(self, calls, rotating):
        server, core = rotating("old-key")
        error = failure(calls("run_get", core, RUN_ID))
        assert isinstance(error, errors.UnexpectedClientError)
        assert error.fate == "not_sent"
        assert len(server.requests) == 1
