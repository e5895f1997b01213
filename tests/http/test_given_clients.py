"""Clients of the caller: which of their settings are used, and the effects of their hooks."""

import asyncio

import httpx
import pytest

from comfydeploy import BackoffStrategy, ComfyDeployCore, Failure, RequestOptions, RetryConfig, errors, unwrap
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue, run_queue_async
from comfydeploy.funcs.run_stream import run_stream, run_stream_async

RUN = b'{"id": "r", "status": "queued"}'
ORDER = {"deployment_id": "d"}
PROBLEMS = {"detail": [{"loc": ["body", "x"], "msg": "m", "type": "t"}]}
AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0))
FUNCTIONS = {
    "run_get": (run_get, run_get_async),
    "run_queue": (run_queue, run_queue_async),
    "run_stream": (run_stream, run_stream_async),
}


@pytest.fixture(params=["blocking", "awaited"])
def given(request):
    """Make calls with a client of the caller: ``given("run_get", "r", url, client={...}, **settings)``."""
    is_awaited = request.param == "awaited"

    def make(name, argument, url, options=None, *, client, hook=None, **settings):
        if not is_awaited:
            hooks = {"response": [hook] if hook else []}
            with httpx.Client(event_hooks=hooks, **client) as http:
                core = ComfyDeployCore(bearer="key-of-the-test", server_url=url, http_client=http, **settings)
                return FUNCTIONS[name][0](core, argument, options)

        async def hook_async(response):
            hook(response)

        async def call():
            hooks = {"response": [hook_async] if hook else []}
            async with httpx.AsyncClient(event_hooks=hooks, **client) as http:
                core = ComfyDeployCore(bearer="key-of-the-test", server_url=url, async_http_client=http, **settings)
                return await FUNCTIONS[name][1](core, argument, options)

        return asyncio.run(call())

    return make


def test_closed_client_sends_nothing():
    client, async_client = httpx.Client(), httpx.AsyncClient()
    client.close()
    asyncio.run(async_client.aclose())
    core = ComfyDeployCore(bearer="k", http_client=client, async_http_client=async_client)
    for error in (run_queue(core, ORDER).failure(), asyncio.run(run_queue_async(core, ORDER)).failure()):
        assert (type(error), error.fate) == (errors.RequestAbortedError, "not_sent")


class Handler:
    """A transport that keeps the requests."""

    def __init__(self, status=200, content=RUN, headers=()):
        self.requests = []
        self.transport = httpx.MockTransport(self._handle)
        self._answer = (status, {"content-type": "application/json", **dict(headers)}, content)

    def _handle(self, request):
        self.requests.append(request)
        status, headers, content = self._answer
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


class TestTimeouts:
    def limits(self, given, client, options=None, **settings):
        handler = Handler()
        given("run_get", "r", "http://x", options, client={"transport": handler.transport} | client, **settings)
        return handler.requests[0].extensions["timeout"]

    def test_of_client_are_used(self, given):
        limits = self.limits(given, {"timeout": httpx.Timeout(30, read=0.5)})
        assert limits == {"connect": 30, "read": 0.5, "write": 30, "pool": 30}

    def test_of_none_are_used(self, given):
        assert set(self.limits(given, {"timeout": None}).values()) == {None}

    def test_of_core_come_first(self, given):
        assert self.limits(given, {"timeout": 0.5}, timeout=7)["read"] == 7

    def test_of_call_come_first(self, given):
        assert self.limits(given, {"timeout": 0.5}, RequestOptions(timeout=7))["read"] == 7

    def test_of_client_end_at_deadline(self, given):
        limits = self.limits(given, {"timeout": httpx.Timeout(30, read=0.5)}, RequestOptions(deadline=7))
        assert limits["read"] == 0.5
        assert 6 < limits["connect"] <= 7

    def test_that_httpx_chose_are_not_used(self, given):
        assert self.limits(given, {}) == {"connect": 10, "read": 60, "write": 60, "pool": None}

    def test_pass(self, given, raw):
        error = given("run_queue", ORDER, raw(["hang"]).url, client={"timeout": 0.1}).failure()
        assert isinstance(error, errors.RequestTimeoutError)


def refuse(response):
    response.raise_for_status()


class TestAHookThatRaises:
    @pytest.mark.parametrize("name", FUNCTIONS)
    @pytest.mark.parametrize("status", [404, 422, 500])
    def test_for_status_is_that_error(self, given, raw, answer, name, status):
        server = raw(answer(status, b"{}"))
        error = given(name, "r" if name == "run_get" else ORDER, server.url, client={}, hook=refuse).failure()
        assert isinstance(error, errors.SDKError)
        assert (error.status_code, error.fate) == (status, "answered")

    def test_after_it_read_body_keeps_its_detail(self, given):
        client = {"transport": httpx.MockTransport(lambda _: httpx.Response(422, json=PROBLEMS))}
        error = given("run_get", "r", "http://x", client=client, hook=refuse).failure()
        assert isinstance(error, errors.HTTPValidationError)
        assert error.detail[0].msg == "m"

    def test_is_retried_by_its_status(self, given, raw, answer):
        server = raw(answer(503, b"{}"), answer(503, b"{}"), answer(404, b"{}"))
        error = given("run_queue", ORDER, server.url, client={}, hook=refuse, retry_config=AT_ONCE).failure()
        assert error.status_code == 404
        assert len(server.requests) == 3

    @pytest.mark.parametrize("name", ["run_queue", "run_stream"])
    def test_for_good_answer_leaves_it_unknown(self, given, raw, answer, name):
        def fail(response):
            raise httpx.HTTPStatusError("no", request=response.request, response=response)

        error = given(name, ORDER, raw(answer(200, b"{}")).url, client={}, hook=fail).failure()
        assert error.fate == "unknown"
        assert "may have been created" in error.hint

    @pytest.mark.parametrize(
        "response", [{"Error": "botocore"}, httpx.Response(401), httpx.Response(401, request=httpx.Request("GET", "/"))]
    )
    def test_for_another_request_is_unexpected(self, given, raw, answer, response):
        class ForeignError(Exception):
            def __init__(self):
                self.response = response

        def fail(_):
            raise ForeignError

        error = given("run_queue", ORDER, raw(answer(200, b"{}")).url, client={}, hook=fail).failure()
        assert isinstance(error, errors.UnexpectedClientError)
        assert error.fate == "unknown"


class TestSettings:
    def request(self, given, client, name="run_get", argument="r"):
        handler = Handler()
        given(name, argument, "http://x/api", client={"transport": handler.transport} | client)
        return handler.requests[0]

    def test_auth_never_replaces_token(self, given):
        request = self.request(given, {"auth": ("me", "secret")})
        assert request.headers["authorization"] == "Bearer key-of-the-test"

    def test_base_url_is_not_used(self, given):
        assert str(self.request(given, {"base_url": "http://elsewhere/"}).url) == "http://x/api/run/r"

    def test_headers_are_sent_beside_ours(self, given):
        request = self.request(given, {"headers": {"x-mine": "1", "authorization": "Basic x", "accept": "text/html"}})
        assert request.headers["x-mine"] == "1"
        assert request.headers["authorization"] == "Bearer key-of-the-test"
        assert request.headers["accept"] == "application/json"

    def test_cookies_are_not_sent(self, given):
        assert "cookie" not in self.request(given, {"cookies": {"__session": "x"}}).headers

    def test_redirects_are_not_followed(self, given):
        handler = Handler(307, b"", {"location": "http://elsewhere/"})
        client = {"transport": handler.transport, "follow_redirects": True}
        assert isinstance(given("run_get", "r", "http://x", client=client), Failure)
        assert len(handler.requests) == 1

    def test_params_are_sent_beside_ours(self):
        handler = Handler()
        with httpx.Client(transport=handler.transport, params={"tenant": "a b"}) as http:
            core = ComfyDeployCore(bearer="k", server_url="http://x", http_client=http)
            unwrap(run_get(core, "r", queue_position=True))
        assert dict(handler.requests[0].url.params) == {"tenant": "a b", "queue_position": "true"}

    def test_params_are_sent_alone(self, given):
        assert self.request(given, {"params": {"tenant": "a"}}).url.query == b"tenant=a"
