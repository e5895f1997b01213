"""The core: its secrets are hidden, and it works in threads, event loops and processes."""

import asyncio
import json
import logging
import multiprocessing
import pickle
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from comfydeploy import (
    BackoffStrategy,
    ComfyDeploy,
    ComfyDeployCore,
    Failure,
    Hooks,
    RequestOptions,
    RetryConfig,
    Success,
    errors,
    unwrap,
)
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.hooks import HookContext, Request, SDKInit

TOKEN = "tok-3f9a8c2e71"
RUN = json.dumps({"id": "r", "status": "queued"}).encode()
ECHO = json.dumps({"detail": f"{TOKEN} is revoked"}).encode()


def shown(error):
    """Return all texts of an error that may be shown or saved."""
    try:
        raise error
    except Exception:
        trace = traceback.TracebackException(*sys.exc_info(), capture_locals=True)
    return "".join([repr(error), str(error), *trace.format(chain=True), repr(pickle.dumps(error))])


class TestTheToken:
    def test_is_not_in_repr_of_core_or_of_client(self):
        assert TOKEN not in repr(ComfyDeployCore(bearer=TOKEN)) + str(ComfyDeploy(bearer=TOKEN))

    @pytest.mark.parametrize(
        "script",
        [
            ["reset"],
            [b"garbage\r\n\r\n", "close"],
            ["hang"],
            [b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx"],
            [b"HTTP/1.1 401 X\r\ncontent-type: application/json\r\nx-echo: %s\r\ncontent-length: %d\r\n\r\n%s"
             % (TOKEN.encode(), len(ECHO), ECHO)],
            [b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(ECHO), ECHO)],
            [b"HTTP/1.1 200 X\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%s" % (len(ECHO), ECHO)],
        ],
    )  # fmt: skip
    def test_is_in_no_error_traceback_or_log(self, calls, raw, caplog, script):
        logger = logging.getLogger("comfydeploy.test")
        caplog.set_level(logging.DEBUG)
        core = calls.core(raw(script).url, bearer=TOKEN, debug_logger=logger, timeout=0.3)
        for name, argument in (
            ("run_get", "r"),
            ("run_queue", {"deployment_id": "d"}),
            ("run_stream", {"deployment_id": "d"}),
        ):
            error = calls(name, core, argument).failure()
            assert TOKEN not in shown(error)
        # The transport itself logs the headers of a response, including those that echo the token.
        ours = [
            record.getMessage()
            for record in caplog.records
            if record.name == logger.name or "x-echo" not in str(script)
        ]
        assert any("attempt 0" in message for message in ours)
        assert TOKEN not in "".join(ours)

    @pytest.mark.parametrize(
        "bad", [f"{TOKEN}\n", f" {TOKEN}", f"{TOKEN}\u2603", f"{TOKEN} x", "", 5, None, TOKEN.encode()]
    )
    def test_is_not_shown_when_it_cannot_be_sent(self, calls, bad):
        error = calls("run_get", calls.core(bearer=bad), "r").failure()
        assert isinstance(error, errors.InvalidRequestError)
        assert error.message.startswith("bearer:")
        assert TOKEN not in shown(error)

    def test_is_not_shown_when_hook_breaks(self, calls):
        def broken(context, data):
            raise LookupError(context.operation_id)

        for stage in ("before_create_request", "before_request"):
            error = calls("run_get", calls.core(bearer=TOKEN, hooks=[Hooks(**{stage: broken})]), "r").failure()
            assert isinstance(error, errors.UnexpectedClientError)
            assert error.fate == "not_sent"
            assert TOKEN not in shown(error)

    def test_is_not_shown_in_address_with_password(self, calls):
        error = calls("run_get", calls.core(f"https://me:{TOKEN}@host/api"), "r").failure()
        assert isinstance(error, errors.InvalidRequestError)
        assert TOKEN not in shown(error)

    def test_function_is_called_for_each_call(self, calls, raw, answer):
        server = raw(answer(200, RUN))
        tokens = iter(["first", "second"])
        core = calls.core(server.url, bearer=lambda: next(tokens))
        for _ in range(2):
            assert isinstance(calls("run_get", core, "r"), Success)
        assert [headers["authorization"] for _, headers, _ in server.requests] == ["Bearer first", "Bearer second"]

    def test_async_function_for_async_calls_only(self, calls, raw, answer):
        async def token():
            return "awaited"

        server = raw(answer(200, RUN))
        result = calls("run_get", calls.core(server.url, bearer=token), "r")
        if calls.awaited:
            assert server.requests[0][1]["authorization"] == "Bearer awaited"
        else:
            assert isinstance(result.failure(), errors.InvalidRequestError)

    def test_raising_callable_is_unexpected_error(self, calls):
        def broken():
            raise LookupError("no vault")

        error = calls("run_queue", calls.core(bearer=broken), {"deployment_id": "d"}).failure()
        assert isinstance(error, errors.UnexpectedClientError)
        assert error.fate == "not_sent"
        assert isinstance(error.__cause__, LookupError)


class TestTheServer:
    @pytest.mark.parametrize(
        ("index", "address"),
        [
            (0, "https://api.comfydeploy.com/api"),
            (1, "https://staging.api.comfydeploy.com/api"),
            (2, "http://localhost:3011/api"),
        ],
    )
    def test_is_chosen_by_its_index(self, index, address):
        assert ComfyDeployCore(bearer="k", server_idx=index).address == address

    @pytest.mark.parametrize(
        "settings", [{"server_idx": 3}, {"server_idx": -1}, {"server_idx": True}, {"server_idx": "0"}]
    )
    def test_invalid_server_fails_each_call(self, calls, settings):
        error = run_get(ComfyDeployCore(bearer="k", **settings), "r").failure()
        assert isinstance(error, errors.InvalidRequestError)
        assert "server_idx" in error.message

    def test_may_be_replaced_by_hook_as_core_starts(self, calls, raw, answer):
        server = raw(answer(200, RUN))
        seen = []
        hooks = [Hooks(sdk_init=seen.append), Hooks(sdk_init=lambda _: SDKInit(server.url))]
        assert isinstance(calls("run_get", calls.core("http://127.0.0.1:1/api", hooks=hooks), "r"), Success)
        assert seen == [SDKInit("http://127.0.0.1:1/api")]

    def test_invalid_sdk_init_fails_each_call(self, calls):
        def broken(_):
            raise LookupError("no")

        error = calls("run_get", calls.core(hooks=[Hooks(sdk_init=broken)]), "r").failure()
        assert isinstance(error, errors.UnexpectedClientError)
        assert (error.fate, type(error.__cause__)) == ("not_sent", LookupError)
        error = calls("run_get", calls.core(hooks=[Hooks(sdk_init=lambda _: SDKInit("nowhere"))]), "r").failure()
        assert isinstance(error, errors.InvalidRequestError)
        assert isinstance(calls("run_get", calls.core(hooks=5), "r").failure(), errors.UnexpectedClientError)


def test_hooks_replace_requests_and_responses(calls, raw, answer):
    server = raw(answer(503, b"busy", "text/plain"), answer(200, RUN))
    called = []

    def recording(stage, change=None):
        def hook(context, *data):
            called.append((stage, context))
            return change(*data) if change else None

        return hook

    hooks = Hooks(
        before_create_request=recording("create", lambda request: request.with_headers({"X-Made": "1"})),
        before_request=recording("before", lambda request: request.with_headers({"x-sent": "1"})),
        after_success=recording("success"),
        after_error=recording("error"),
    )
    config = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 9.0))
    assert isinstance(calls("run_get", calls.core(server.url, hooks=[hooks], retry_config=config), "r"), Success)
    first, second = (HookContext("get_run_run__run_id__get", attempt) for attempt in (0, 1))
    assert called == [("create", first), ("before", first), ("error", first), ("before", second), ("success", second)]
    assert all(headers["x-made"] == headers["x-sent"] == "1" for _, headers, _ in server.requests)


def test_no_hook_is_shown_token(calls, raw, answer):
    seen = []
    hooks = [
        Hooks(before_request=lambda _, request: seen.append(request), after_success=lambda _, reply: seen.append(reply))
    ]
    assert isinstance(calls("run_get", calls.core(raw(answer(200, RUN)).url, bearer=TOKEN, hooks=hooks), "r"), Success)
    assert isinstance(seen[0], Request)
    assert TOKEN not in repr(seen)


class TestYourOwnClient:
    def test_is_used_unchanged_and_never_closed(self, calls, raw, answer):
        server = raw(answer(200, RUN, set_cookie="__session=evil; Path=/"))
        settings = {"headers": {"x-mine": "1", "user-agent": "mine"}, "cookies": {"a": "b"}, "follow_redirects": True}
        client, async_client = httpx.Client(**settings), httpx.AsyncClient(**settings)
        core = calls.core(server.url, http_client=client, async_http_client=async_client)
        for _ in range(2):
            assert isinstance(calls("run_get", core, "r"), Success)
        assert server.requests[1][1]["x-mine"] == "1"
        assert all("cookie" not in headers for _, headers, _ in server.requests)
        calls.close_core(core)
        assert not client.is_closed
        assert not async_client.is_closed
        client.close()
        calls.run(async_client.aclose())

    def test_that_is_closed_makes_call_aborted_one(self, calls):
        client, async_client = httpx.Client(), httpx.AsyncClient()
        client.close()
        calls.run(async_client.aclose())
        error = calls("run_get", calls.core(http_client=client, async_http_client=async_client), "r").failure()
        assert isinstance(error, errors.RequestAbortedError)

    def test_gets_time_limits_of_call(self, calls):
        seen = []

        def handler(request):
            seen.append(request.extensions["timeout"])
            return httpx.Response(200, json={"run_id": "r"})

        transport = httpx.MockTransport(handler)
        for options in (None, RequestOptions(timeout=3), RequestOptions(timeout=httpx.Timeout(1, read=2))):
            unwrap(calls("run_queue", calls.core(transport=transport), {"deployment_id": "d"}, options))
        assert [limits["read"] for limits in seen] == [300.0, 3, 2]
        assert [limits["pool"] for limits in seen] == [None, None, 1]


class TestACore:
    @pytest.fixture
    def server(self, raw, answer):
        return raw(answer(200, RUN))

    def test_can_be_closed_with_with_block(self, server):
        with ComfyDeployCore(bearer="k", server_url=server.url) as core:
            assert isinstance(run_get(core, "r"), Success)
        assert isinstance(run_get(core, "r").failure(), errors.RequestAbortedError)

    def test_can_be_closed_with_async_with_block(self, server):
        async def use():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                assert isinstance(await run_get_async(core, "r"), Success)
            return await run_get_async(core, "r")

        assert isinstance(asyncio.run(use()).failure(), errors.RequestAbortedError)

    @pytest.mark.parametrize("kind", [ComfyDeployCore, ComfyDeploy])
    def test_pickles_with_token_without_connections(self, server, kind):
        with kind(bearer=TOKEN, server_url=server.url, timeout=9) as core:
            assert isinstance(run_get(core, "r"), Success)
            with pickle.loads(pickle.dumps(core)) as copy:
                assert type(copy) is kind
                assert copy.timeout == 9
                assert isinstance(run_get(copy, "r"), Success)
        assert {headers["authorization"] for _, headers, _ in server.requests} == {f"Bearer {TOKEN}"}

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    @pytest.mark.parametrize("method", ["spawn", "fork"])
    def test_works_in_another_process(self, server, method):
        with ComfyDeployCore(bearer="k", server_url=server.url) as core:
            assert isinstance(run_get(core, "r"), Success)
            with multiprocessing.get_context(method).Pool(1) as pool:
                assert isinstance(pool.apply(run_get, (core, "r")), Success)
            assert isinstance(run_get(core, "r"), Success)

    def test_works_after_fork_without_pickling(self, server):
        script = (
            "import os, sys\n"
            "from comfydeploy import ComfyDeployCore, Success\n"
            "from comfydeploy.funcs.run_get import run_get\n"
            "core = ComfyDeployCore(bearer='k', server_url=sys.argv[1])\n"
            "assert isinstance(run_get(core, 'r'), Success)\n"
            "child = os.fork()\n"
            "fine = isinstance(run_get(core, 'r'), Success)\n"
            "if not child: os._exit(0 if fine else 1)\n"
            "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or not fine)\n"
        )
        assert subprocess.run([sys.executable, "-c", script, server.url], check=False).returncode == 0
        assert len(server.connections) == 2

    def test_many_threads_share_connections(self, server):
        together = threading.Barrier(8)

        def get(_):
            together.wait()
            return run_get(core, "r")

        with ComfyDeployCore(bearer="k", server_url=server.url) as core, ThreadPoolExecutor(8) as pool:
            assert all(isinstance(result, Success) for result in pool.map(get, range(8)))
            assert len(core.connections._blocking) == 1

    def test_works_in_two_event_loops_one_after_other(self, server):
        core = ComfyDeployCore(bearer="k", server_url=server.url)

        async def get():
            result = await run_get_async(core, "r")
            for client in core.connections._awaiting.values():
                await client.aclose()
            return result

        assert all(isinstance(asyncio.run(get()), Success) for _ in range(2))
        assert len(core.connections._awaiting) == 1  # the client of the closed loop is removed

    def test_blocking_calls_inside_an_event_loop(self, server):
        async def get():
            return run_get(core, "r")

        with ComfyDeployCore(bearer="k", server_url=server.url) as core:
            assert isinstance(asyncio.run(get()), Success)

    def test_passes_cancellation_of_task_through(self, raw):
        server = raw(["hang"])

        async def cancel():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                task = asyncio.create_task(run_get_async(core, "r"))
                while not server.requests:
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await asyncio.to_thread(server.left.wait, 5)

        asyncio.run(cancel())
        assert server.left.is_set()

    def test_closing_during_a_call_aborts_it(self, raw):
        server = raw(["hang"])
        core = ComfyDeployCore(bearer="k", server_url=server.url)

        async def close():
            task = asyncio.create_task(run_get_async(core, "r"))
            while not server.requests:
                await asyncio.sleep(0)
            await core.aclose()
            return await task

        error = asyncio.run(close()).failure()
        assert isinstance(error, errors.RequestAbortedError)
        assert error.fate == "unknown"

    def test_two_threads_keep_one_client(self, monkeypatch):
        core = ComfyDeployCore(bearer="k")
        first = core.connections.client(lasting=False)
        key = next(iter(core.connections._blocking))
        # As if another thread had created one between the check and the creation.
        core.connections._blocking = type("Late", (dict,), {"get": lambda *_: None})({key: first})
        assert core.connections.client(lasting=False) is first
        core.close()

    def test_is_immutable(self):
        with pytest.raises(AttributeError):
            ComfyDeployCore(bearer="k").timeout = 5


def test_call_gives_failure_in_pickle_as_well(raw, answer):
    with ComfyDeployCore(bearer="k", server_url=raw(answer(404, b'{"detail":"Run not found"}')).url) as core:
        result = run_queue(core, {"deployment_id": "d"})
    copy = pickle.loads(pickle.dumps(result))
    assert isinstance(copy, Failure)
    assert copy.failure().detail == "Run not found"


class TestTheEnvironment:
    @pytest.fixture(autouse=True)
    def _variables(self, monkeypatch):
        monkeypatch.setenv("COMFYDEPLOY_API_KEY", "key-of-the-environment")
        monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", "http://of-the-environment/api")

    @pytest.fixture
    def wire(self):
        return httpx.MockTransport(
            lambda request: httpx.Response(200, json={"id": str(request.url), "status": "queued"})
        )

    def test_gives_key_and_server(self, wire):
        core = ComfyDeployCore(transport=wire)
        assert run_get(core, "r").unwrap().id == "http://of-the-environment/api/run/r"
        assert core.bearer == "key-of-the-environment"
        assert "key-of-the-environment" not in repr(core)

    def test_is_read_when_core_is_made(self, monkeypatch, wire):
        core = ComfyDeployCore(transport=wire)
        pickled = pickle.dumps(ComfyDeployCore())
        monkeypatch.delenv("COMFYDEPLOY_API_KEY")
        monkeypatch.delenv("COMFYDEPLOY_SERVER_URL")
        assert run_get(core, "r").unwrap().id == "http://of-the-environment/api/run/r"
        found = pickle.loads(pickled)
        assert (found.bearer, found.address) == ("key-of-the-environment", "http://of-the-environment/api")

    def test_yields_to_explicit_values(self):
        assert ComfyDeployCore(bearer="k").bearer == "k"
        assert ComfyDeployCore(server_idx=0).address == "https://api.comfydeploy.com/api"
        assert ComfyDeployCore(server_url="http://x/api").address == "http://x/api"

    def test_names_wrong_address(self, monkeypatch):
        monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", "nowhere")
        assert str(run_get(ComfyDeployCore(), "r").failure()).startswith("COMFYDEPLOY_SERVER_URL: expected an address")

    @pytest.mark.parametrize("value", ["", None])
    def test_names_missing_key(self, monkeypatch, value):
        monkeypatch.setenv("COMFYDEPLOY_API_KEY", value or "")
        if value is None:
            monkeypatch.delenv("COMFYDEPLOY_API_KEY")
        error = run_get(ComfyDeployCore(), "r").failure()
        assert isinstance(error, errors.InvalidRequestError)
        assert "COMFYDEPLOY_API_KEY" in str(error)
        assert asyncio.run(run_get_async(ComfyDeployCore(), "r")).failure().message == error.message
