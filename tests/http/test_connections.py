"""The clients of a core: the one that a call uses, refusals before sending, and closing."""

import asyncio
import os
import sys
import threading

import httpx
import httpx2
import httpx_aiohttp
import pytest
import trio

from comfydeploy import ComfyDeployCore, Success, errors
from comfydeploy._http import connections
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue_async

RUN = b'{"id": "r", "status": "queued"}'
ORDER = {"deployment_id": "d", "inputs": {}}


class TestWrongArguments:
    @pytest.mark.parametrize(
        ("argument", "given"),
        [
            ("http_client", httpx.AsyncClient),
            ("http_client", httpx2.AsyncClient),
            ("http_client", object),
            ("transport", httpx.AsyncHTTPTransport),
            ("transport", object),
        ],
    )
    def test_blocking(self, raw, argument, given):
        self.check(run_get, raw(), argument, given())

    @pytest.mark.parametrize(
        ("argument", "given"),
        [
            ("async_http_client", httpx.Client),
            ("async_http_client", object),
            ("async_transport", httpx.HTTPTransport),
            ("async_transport", object),
            ("async_transport", lambda: object),
        ],
    )
    def test_awaited(self, raw, argument, given):
        self.check(lambda *arguments: asyncio.run(run_get_async(*arguments)), raw(), argument, given())

    def check(self, call, server, argument, given):
        error = call(ComfyDeployCore(bearer="k", server_url=server.url, **{argument: given}), "r").failure()
        assert isinstance(error, errors.InvalidRequestError)
        assert argument in str(error)
        assert not server.requests

    @pytest.mark.parametrize("settings", [{}, {"async_http_client": httpx.AsyncClient()}])
    def test_trio(self, raw, settings):
        server = raw()
        core = ComfyDeployCore(bearer="k", server_url=server.url, **settings)
        error = trio.run(run_queue_async, core, ORDER).failure()
        assert isinstance(error, errors.InvalidRequestError)
        assert "asyncio only" in str(error)
        assert not server.requests


class TestTransports:
    @pytest.mark.parametrize("library", [httpx, httpx2])
    def test_of_either_library(self, calls, raw, answer, library):
        server = raw(answer(200, RUN))
        ways = {"transport": library.HTTPTransport(), "async_transport": library.AsyncHTTPTransport}
        for _ in range(2):
            assert calls("run_get", calls.core(server.url, **ways), "r").unwrap().id == "r"

    @pytest.mark.parametrize("library", [httpx, httpx2])
    def test_errors_of_either_library(self, calls, library):
        def fail(request):
            raise library.ReadTimeout("too late")

        transport = library.MockTransport(fail)
        error = calls("run_get", calls.core(transport=transport, async_transport=transport), "r").failure()
        assert (type(error), error.fate) == (errors.RequestTimeoutError, "unknown")

    def test_without_library(self, calls):
        class Own:
            def handle_request(self, request):
                return httpx.Response(200, content=RUN, headers={"content-type": "application/json"})

            async def handle_async_request(self, request):
                return self.handle_request(request)

            def close(self):
                pass

            async def aclose(self):
                pass

        core = calls.core(transport=Own(), async_transport=Own())
        assert isinstance(calls("run_get", core, "r"), Success)

    def test_aiohttp(self, raw, answer):
        server = raw(answer(200, RUN))

        async def ask():
            transport = httpx_aiohttp.AiohttpTransport
            async with ComfyDeployCore(bearer="k", server_url=server.url, async_transport=transport) as core:
                return await run_get_async(core, "r")

        assert asyncio.run(ask()).unwrap().id == "r"

    def test_one_per_event_loop(self, raw, answer):
        server, made = raw(answer(200, RUN)), []

        def transport():
            made.append(httpx.AsyncHTTPTransport())
            return made[-1]

        core = ComfyDeployCore(bearer="k", server_url=server.url, async_transport=transport)

        async def ask():
            for lasting in (True, False):
                core.connections.async_client(lasting=lasting)
            assert isinstance(await run_get_async(core, "r"), Success)
            await made[-1].aclose()

        for count in (1, 2):
            asyncio.run(ask())
            assert len(made) == count
        core.close()

    def test_closed_by_two_threads_at_once(self, raw, answer, monkeypatch):
        core = ComfyDeployCore(bearer="k", server_url=raw(answer(200, RUN)).url)
        run_get(core, "r").unwrap()
        (client,) = core.connections._blocking.values()
        process = os.getpid()

        def close_in_another():
            core.connections._blocking.clear()
            return process

        monkeypatch.setattr(connections.os, "getpid", close_in_another)
        core.close()
        assert not client.is_closed  # the other thread does that
        client.close()

    def test_given_clients_stay_open(self, calls, raw, answer):
        server = raw(answer(200, RUN))
        blocking, awaited = httpx.Client(), httpx.AsyncClient()
        core = calls.core(server.url, http_client=blocking, async_http_client=awaited)
        assert isinstance(calls("run_get", core, "r"), Success)
        calls.close_core(core)
        assert not blocking.is_closed
        assert not awaited.is_closed
        blocking.close()
        if calls.awaited:
            calls.run(awaited.aclose())


def test_many_event_loops_in_threads(raw, answer):
    server = raw(answer(200, RUN, connection="close"))
    core = ComfyDeployCore(bearer="k", server_url=server.url)
    results, interval = [], sys.getswitchinterval()

    async def ask():
        results.append(await run_get_async(core, "r"))
        await core.connections.async_client(lasting=False).aclose()

    def work():
        for _ in range(10):
            asyncio.run(ask())

    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert [type(result) for result in results] == [Success] * 80


class TestClosing:
    @pytest.fixture
    def hanging(self, raw):
        return raw(["hang"])

    @pytest.mark.parametrize("name", ["run_get", "run_sync"])
    def test_wakes_blocking_calls(self, hanging, name, calls):
        core, found = ComfyDeployCore(bearer="k", server_url=hanging.url), []
        module = __import__(f"comfydeploy.funcs.{name}", fromlist=[name])
        thread = threading.Thread(
            target=lambda: found.append(getattr(module, name)(core, "r" if name == "run_get" else ORDER))
        )
        thread.start()
        while not hanging.requests:
            pass
        core.close()
        thread.join(5)
        assert (type(found[0].failure()), found[0].failure().fate) == (errors.RequestAbortedError, "unknown")

    def test_from_another_thread_wakes_awaited_calls(self, hanging):
        core = ComfyDeployCore(bearer="k", server_url=hanging.url)

        def close():
            while not hanging.requests:
                pass
            core.close()

        async def ask():
            thread = threading.Thread(target=close)
            thread.start()
            error = (await run_get_async(core, "r")).failure()
            thread.join()
            return error, (await run_get_async(core, "r")).failure()

        during, after = asyncio.run(ask())
        assert (type(during), during.fate) == (errors.RequestAbortedError, "unknown")
        assert (type(after), after.fate) == (errors.RequestAbortedError, "not_sent")

    def test_while_first_client_is_made(self, calls, hanging, monkeypatch):
        core = calls.core(hanging.url)

        def load(*_):
            core.close()

        monkeypatch.setattr(connections, "load", load)
        error = calls("run_get", core, "r").failure()
        assert (type(error), error.fate) == (errors.RequestAbortedError, "not_sent")

    def test_after_event_loop(self, raw, answer):
        server = raw(answer(200, RUN, connection="close"))
        core = ComfyDeployCore(bearer="k", server_url=server.url)
        assert isinstance(asyncio.run(run_get_async(core, "r")), Success)
        core.close()

    def test_leaves_other_processes_alone(self, raw, answer, monkeypatch):
        core = ComfyDeployCore(bearer="k", server_url=raw(answer(200, RUN)).url)
        client = core.connections.client(lasting=False)
        monkeypatch.setattr("os.getpid", lambda: -1)
        core.close()
        assert not client.is_closed
        client.close()
