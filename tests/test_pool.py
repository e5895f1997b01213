"""The connections of a core: as many as allowed, first come first served, and none lost whatever happens."""

import asyncio
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import httpx
import pytest

from comfydeploy import ComfyDeployCore, RequestOptions, Success, errors
from comfydeploy._pool import AsyncPool, AsyncPooledClient, Pool, PooledClient
from comfydeploy.funcs.run_get import run_get_async

RUN = b'{"id": "r", "status": "queued"}'


def until(condition):
    """Wait for what another thread is about to do."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0)


class Asker:
    """A pooled client of one colour, asked from many threads or tasks at once: each request gives a future."""

    def __init__(self, *, awaited, **limits):
        self._executor = ThreadPoolExecutor(64)
        self._loop = asyncio.new_event_loop() if awaited else None
        kind = AsyncPooledClient if awaited else PooledClient
        self.client = kind(limits=httpx.Limits(**limits), verify=False, trust_env=False)
        self.ledger = self.client._transport._ledger
        if self._loop:
            self._running = self._executor.submit(self._loop.run_forever)

    def __call__(self, url, **limits):
        timeout = httpx.Timeout(5, **{"pool": None, **limits})
        if self._loop:
            return asyncio.run_coroutine_threadsafe(self.client.get(url, timeout=timeout), self._loop)
        return self._executor.submit(self.client.get, url, timeout=timeout)

    def in_line(self, url, **limits):
        """Ask, and come back when the request waits for its turn."""
        before = len(self.ledger._waiting)
        future = self(url, **limits)
        until(lambda: len(self.ledger._waiting) == before + 1)
        return future

    def close_client(self):
        if self._loop:
            asyncio.run_coroutine_threadsafe(self.client.aclose(), self._loop).result(5)
        else:
            self.client.close()

    def close(self):
        self.close_client()
        if self._loop:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._running.result(5)
            self._loop.close()
        self._executor.shutdown()


@pytest.fixture(params=["blocking", "awaited"])
def asker(request):
    """Make askers: ``asker(max_connections=1)``."""
    made = []

    def make(**limits):
        made.append(Asker(awaited=request.param == "awaited", **limits))
        return made[-1]

    yield make
    for one in made:
        one.close()


class TestTheLine:
    def test_is_served_in_order_by_one_connection_if_there_may_be_no_more(self, asker, raw, answer):
        gate = threading.Event()
        server = raw([gate, answer(200, RUN)])
        ask = asker(max_connections=1)
        first = ask(f"{server.url}/0")
        until(lambda: server.requests)
        others = [ask.in_line(f"{server.url}/{number}") for number in range(1, 6)]
        gate.set()
        assert all(future.result(5).status_code == 200 for future in (first, *others))
        assert [line.split()[1] for line, _, _ in server.requests] == [f"/{number}" for number in range(6)]
        assert len(server.connections) == 1

    def test_is_as_long_as_it_takes_without_a_limit_and_ends_in_a_pool_time_out_with_one(self, asker, raw, answer):
        gate = threading.Event()
        server = raw([gate, answer(200, RUN)])
        ask = asker(max_connections=1)
        busy = ask(server.url)
        until(lambda: server.requests)
        patient = ask.in_line(server.url)
        with pytest.raises(httpx.PoolTimeout):
            ask.in_line(server.url, pool=0.01).result(5)
        gate.set()
        assert [future.result(5).status_code for future in (busy, patient)] == [200, 200]
        assert len(server.requests) == 2

    @pytest.mark.parametrize("end", ["reset", "close"])
    def test_goes_on_with_a_new_connection_when_one_breaks(self, asker, raw, answer, end):
        gate = threading.Event()
        server = raw([gate, end], answer(200, RUN))
        ask = asker(max_connections=1)
        breaking = ask(server.url)
        until(lambda: server.requests)
        waiting = ask.in_line(server.url)
        gate.set()
        with pytest.raises(httpx.TransportError):
            breaking.result(5)
        assert waiting.result(5).status_code == 200
        assert len(server.connections) == 2

    def test_is_sent_away_when_the_client_is_closed(self, asker, raw):
        server = raw(["hang"])
        ask = asker(max_connections=1)
        busy = ask(server.url)
        until(lambda: server.requests)
        waiting = ask.in_line(server.url)
        ask.close_client()
        with pytest.raises(httpx.PoolTimeout, match="closed"):
            waiting.result(5)
        server.close()  # a blocking client cannot end a call that another thread is in
        with pytest.raises(httpx.TransportError):
            busy.result(5)

    def test_takes_nobody_in_once_the_client_is_closed(self, asker):
        ask = asker(max_connections=0)
        ask.ledger.close()
        with pytest.raises(httpx.PoolTimeout, match="closed"):
            ask("http://127.0.0.1:1").result(5)

    def test_serves_many_threads_and_tasks_without_losing_or_sharing_a_connection(self, asker, raw, answer):
        server = raw(answer(200, RUN))
        ask = asker(max_connections=4)
        wait(futures := [ask(server.url) for _ in range(400)])
        assert {future.result().status_code for future in futures} == {200}
        assert len(server.requests) == 400
        assert len(server.connections) <= 4
        assert len(ask.ledger._idle) == len(ask.ledger._open) == len(server.connections)


class TestAConnection:
    def test_is_used_again_and_the_one_used_last_comes_first(self, asker, raw, answer):
        gate = threading.Event()
        server = raw([gate, answer(200, RUN)], [gate, answer(200, RUN)], answer(200, RUN))
        ask = asker(max_connections=5)
        both = [ask(server.url), ask(server.url)]
        until(lambda: len(server.requests) == 2)
        gate.set()
        wait(both, 5)
        last = ask.ledger._idle[-1]
        for _ in range(3):
            assert ask(server.url).result(5).status_code == 200
            assert ask.ledger._idle[-1] is last
        assert len(server.connections) == 2

    @pytest.mark.parametrize("limits", [{"keepalive_expiry": 0}, {"max_keepalive_connections": 0}])
    def test_that_nobody_needs_is_closed(self, asker, raw, answer, limits):
        gate = threading.Event()
        server = raw([gate, answer(200, RUN)], [gate, answer(200, RUN)], [answer(200, RUN), "hang"])
        ask = asker(**limits)
        both = [ask(server.url), ask(server.url)]
        until(lambda: len(server.requests) == 2)
        gate.set()
        wait(both, 5)
        assert ask(server.url).result(5).status_code == 200
        assert len(ask.ledger._open) == 1

    def test_leads_to_one_server_only(self, asker, raw, answer):
        servers = [raw(answer(200, RUN)), raw(answer(200, RUN))]
        ask = asker(max_connections=2)
        for _ in range(3):
            for server in servers:
                assert ask(server.url).result(5).status_code == 200
        assert [len(server.requests) for server in servers] == [3, 3]
        assert [len(server.connections) for server in servers] == [1, 1]

    def test_is_given_up_for_another_server_where_there_may_be_no_more(self, asker, raw, answer):
        servers = [raw(answer(200, RUN)), raw(answer(200, RUN))]
        ask = asker(max_connections=1)
        for _ in range(2):
            for server in servers:
                assert ask(server.url).result(5).status_code == 200
        assert [len(server.requests) for server in servers] == [2, 2]
        assert len(ask.ledger._open) == 1

    def test_that_could_not_be_made_is_forgotten(self, asker, raw):
        server = raw()
        server.close()
        ask = asker(max_connections=1)
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                ask(server.url).result(5)
        assert not ask.ledger._open


class Memory(httpx.AsyncBaseTransport):
    """A connection in memory, with places to be cancelled at, which notices whether two use it at a time."""

    made: list["Memory"]

    def __init__(self, made, fails=None):
        self.is_busy = self.is_closed = False
        self.fails = fails
        made.append(self)

    async def handle_async_request(self, request):
        assert not self.is_busy
        assert not self.is_closed
        self.is_busy = True
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        except BaseException:
            self.is_busy = False
            raise
        return httpx.Response(200, stream=self.Body(self))

    async def aclose(self):
        await asyncio.sleep(0)
        self.is_closed = True

    class Body(httpx.AsyncByteStream):
        def __init__(self, connection):
            self._connection = connection

        async def __aiter__(self):
            await asyncio.sleep(0)
            yield b"{}"

        async def aclose(self):
            self._connection.is_busy = False
            await asyncio.sleep(0)
            if self._connection.fails:
                raise self._connection.fails


class TestACancelledTask:
    @pytest.mark.parametrize("connections", [1, 2])
    def test_leaves_every_connection_usable_wherever_it_is_cancelled(self, connections):
        async def tried(steps):
            made = []
            pool = AsyncPool(lambda: Memory(made), httpx.Limits(max_connections=connections))
            async with httpx.AsyncClient(transport=pool) as client:
                tasks = [asyncio.create_task(client.get("http://host/")) for _ in range(4)]
                for _ in range(steps):
                    await asyncio.sleep(0)
                was_over = tasks[1].done()
                tasks[1].cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
                assert [type(result) for result in results[:1] + results[2:]] == [httpx.Response] * 3
                assert (await client.get("http://host/")).status_code == 200
                assert not pool._ledger._waiting
                assert len(pool._ledger._idle) == len(pool._ledger._open) <= connections
            # Of those that were dropped as well, none stays open.
            assert all(connection.is_closed for connection in made)
            return was_over

        for steps in itertools.count():
            if asyncio.run(tried(steps)):
                break
        assert steps >= 5

    def test_hands_on_the_connection_that_it_was_given_in_the_same_moment(self):
        async def tried():
            ledger = AsyncPool(lambda: Memory([]), httpx.Limits(max_connections=1))._ledger
            loop, origin = asyncio.get_running_loop(), ("http", b"host")
            connection = ledger.take(origin)
            first, second, third = (loop.create_future() for _ in range(3))
            with ledger.line(first, origin), suppress(ZeroDivisionError), ledger.line(second, origin):
                with ledger.line(third, origin):
                    first.cancel()  # and its task has not run since
                    ledger.keep(connection)
                    assert second.result() is connection
                    raise_from_second = ZeroDivisionError
                raise raise_from_second
            assert third.result() is connection

        asyncio.run(tried())

    def test_in_line_of_a_client_that_was_closed_in_the_same_moment_ends_as_cancelled(self):
        async def tried():
            ledger = AsyncPool(lambda: Memory([]), httpx.Limits(max_connections=0))._ledger
            turns = [asyncio.get_running_loop().create_future() for _ in range(2)]
            with ledger.line(turns[0], None), suppress(ZeroDivisionError), ledger.line(turns[1], None):
                turns[0].cancel()
                ledger.close()
                raise ZeroDivisionError
            assert isinstance(turns[1].exception(), httpx.PoolTimeout)

        asyncio.run(tried())


class TestClosing:
    def test_reaches_a_connection_whose_answer_is_closed_later(self):
        async def tried():
            made = []
            pool = AsyncPool(lambda: Memory(made), httpx.Limits())
            request = httpx.Request("GET", "http://host/")
            response = await pool.handle_async_request(request)
            await pool.aclose()
            made[0].is_closed = False  # as if it had been connecting meanwhile
            await response.aclose()
            await response.stream.aclose()  # once is enough
            assert made[0].is_closed

        asyncio.run(tried())

    def test_an_answer_that_cannot_be_closed_gives_its_connection_up(self):
        async def tried():
            made = []
            pool = AsyncPool(lambda: Memory(made, fails=OSError("no")), httpx.Limits(max_connections=1))
            request = httpx.Request("GET", "http://host/")
            response = await pool.handle_async_request(request)
            with pytest.raises(OSError, match="no"):
                await response.aclose()
            assert made[0].is_closed
            assert not pool._ledger._open

        asyncio.run(tried())

    def test_does_the_same_in_blocking_calls(self):
        closed = []

        class Connection(httpx.BaseTransport):
            def handle_request(self, request):
                class Body(httpx.SyncByteStream):
                    def __iter__(self):
                        yield b"{}"

                    def close(self):
                        if request.method == "POST":
                            raise OSError("no")

                return httpx.Response(200, stream=Body())

            def close(self):
                closed.append(self)

        pool = Pool(Connection, httpx.Limits())
        with pytest.raises(OSError, match="no"):
            pool.handle_request(httpx.Request("POST", "http://host/")).close()
        assert len(closed) == 1
        response = pool.handle_request(httpx.Request("GET", "http://host/"))
        pool.close()
        response.close()
        response.stream.close()
        assert len(closed) == 3  # once as the pool closed, once as the answer did


class TestACore:
    @pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
    def test_has_a_hundred_connections_for_any_number_of_calls(self, raw, answer, transport):
        gate = threading.Event()
        server = raw([gate, answer(200, RUN)])

        async def ask():
            async with ComfyDeployCore(bearer="k", server_url=server.url, async_transport=transport) as core:
                tasks = [asyncio.create_task(run_get_async(core, "r")) for _ in range(300)]
                while len(server.requests) < 100:
                    await asyncio.sleep(0)
                gate.set()
                return await asyncio.gather(*tasks)

        assert all(isinstance(result, Success) for result in asyncio.run(ask()))
        assert len(server.connections) == 100

    @pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
    def test_that_is_closed_ends_the_calls_and_knows_which_were_never_sent(self, raw, transport):
        server = raw(["hang"])

        async def close():
            core = ComfyDeployCore(bearer="k", server_url=server.url, async_transport=transport)
            tasks = [asyncio.create_task(run_get_async(core, "r")) for _ in range(103)]
            while len(server.requests) < 100:
                await asyncio.sleep(0)
            await core.aclose()
            return [result.failure() for result in await asyncio.gather(*tasks)]

        found = asyncio.run(close())
        assert {type(error) for error in found} == {errors.RequestAbortedError}
        assert [error.fate for error in found].count("not_sent") == 3

    def test_goes_through_the_proxy_of_the_environment(self, calls, raw, answer, monkeypatch):
        proxy, server = raw(answer(200, RUN)), raw(answer(200, RUN))
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert isinstance(calls("run_get", calls.core("http://example.com/api"), "r"), Success)
        assert proxy.requests[0][0] == "GET http://example.com/api/run/r HTTP/1.1"
        assert isinstance(calls("run_get", calls.core(server.url), "r"), Success)
        assert len(proxy.requests) == len(server.requests) == 1

    def test_leaves_a_socks_proxy_to_httpx(self, calls, monkeypatch):
        monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
        error = calls("run_get", calls.core("http://example.com/api"), "r").failure()
        assert "socksio" in str(error)  # the package that httpx needs for it, and says so

    @pytest.mark.parametrize("transport", ["trio", 5])
    def test_with_an_unknown_transport_fails_every_async_call(self, transport):
        core = ComfyDeployCore(bearer="k", async_transport=transport)
        error = asyncio.run(run_get_async(core, "r")).failure()
        assert isinstance(error, errors.InvalidRequestError | errors.UnexpectedClientError)

    def test_without_the_extra_uses_httpx_and_says_what_is_missing_where_aiohttp_is_asked_for(
        self, raw, answer, monkeypatch
    ):
        monkeypatch.setattr("comfydeploy._connections._has_aiohttp", lambda: False)
        server = raw(answer(200, RUN))

        async def ask(transport):
            async with ComfyDeployCore(bearer="k", server_url=server.url, async_transport=transport) as core:
                result = await run_get_async(core, "r")
                return result, [type(client) for client in core.connections._awaiting.values()]

        result, kinds = asyncio.run(ask(None))
        assert isinstance(result, Success)
        assert kinds == [AsyncPooledClient]
        result, _ = asyncio.run(ask("aiohttp"))
        assert isinstance(result.failure(), errors.InvalidRequestError)
        assert "comfydeploy[aiohttp]" in str(result.failure())

    def test_with_the_extra_uses_aiohttp_unless_it_is_told_otherwise(self, raw, answer):
        from comfydeploy._aiohttp import AiohttpClient

        server = raw(answer(200, RUN))

        async def ask(**settings):
            async with ComfyDeployCore(bearer="k", server_url=server.url, **settings) as core:
                assert isinstance(await run_get_async(core, "r"), Success)
                return type(core.connections.async_client(lasting=False))

        assert asyncio.run(ask()) is AiohttpClient
        assert asyncio.run(ask(async_transport="httpx")) is AsyncPooledClient

    def test_gives_the_pool_limit_of_a_call_to_the_line(self, calls, raw):
        server = raw(["hang"])
        options = RequestOptions(timeout=httpx.Timeout(0.05, pool=3))
        error = calls("run_get", calls.core(server.url), "r", options).failure()
        assert isinstance(error, errors.RequestTimeoutError)
        assert error.fate == "unknown"
