"""The connections of a core: their limit, the order of waiting calls, and none is lost."""

import asyncio
import itertools
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

import httpcore
import httpx
import pytest

from comfydeploy import ComfyDeployCore, RequestOptions, Success, errors
from comfydeploy._http.clients import AsyncPooledClient, PooledClient
from comfydeploy._http.ledger import Ledger
from comfydeploy._http.pool import AsyncPool, Pool
from comfydeploy.funcs.run_get import run_get_async

RUN = b'{"id": "r", "status": "queued"}'


def until(condition):
    """Wait for a condition that another thread will fulfil."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0)


def places(ledger, most):
    """Return how many calls could begin at once, up to one more than there should be."""
    slots = []
    while len(slots) <= most and (slot := ledger.take(REQUEST.url.origin)):
        slots.append(slot)
    assert all(map(ledger.keep, slots))
    return len(slots)


def was_closed(connection):
    """Return whether the client has closed a connection of the server."""
    return connection.fileno() < 0 or connection.recv(1) == b""


class Asker:
    """A pooled client, blocking or async, used by many threads or tasks at once: each request returns a future."""

    def __init__(self, *, awaited, **limits):
        self._executor = ThreadPoolExecutor(64)
        self._loop = asyncio.new_event_loop() if awaited else None
        self.client = (AsyncPooledClient if awaited else PooledClient)(httpx.Limits(**limits))
        self.ledger = self.client._transport._pool._ledger
        if self._loop:
            self._running = self._executor.submit(self._loop.run_forever)

    def __call__(self, url, **limits):
        limits = {"connect": 5, "read": 5, "write": 5, "pool": None, **limits}
        request = self.client.build_request("GET", url, extensions={"timeout": limits})
        if self._loop:
            return asyncio.run_coroutine_threadsafe(self.client.send(request), self._loop)
        return self._executor.submit(self.client.send, request)

    def in_line(self, url, **limits):
        """Send a request, and return when it waits in line."""
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
    """Create askers: ``asker(max_connections=1)``."""
    made = []

    def make(**limits):
        made.append(Asker(awaited=request.param == "awaited", **limits))
        return made[-1]

    yield make
    for one in made:
        one.close()


class TestTheLine:
    def test_single_connection_serves_in_order(self, asker, raw, answer):
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

    def test_ends_with_the_pool_timeout(self, asker, raw, answer):
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
    def test_goes_on_after_a_broken_connection(self, asker, raw, answer, end):
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

    def test_is_sent_away_when_client_is_closed(self, asker, raw):
        server = raw(["hang"])
        ask = asker(max_connections=1)
        busy = ask(server.url)
        until(lambda: server.requests)
        waiting = ask.in_line(server.url)
        ask.close_client()
        with pytest.raises((httpx.PoolTimeout, httpx.ConnectError), match="closed"):
            waiting.result(5)
        with pytest.raises(httpx.TransportError):
            busy.result(5)

    def test_closed_client_accepts_no_call(self, asker):
        ask = asker(max_connections=0)
        ask.ledger.close()
        with pytest.raises(httpx.PoolTimeout, match="closed"):
            ask("http://127.0.0.1:1").result(5)

    def test_many_callers_share_no_connection(self, asker, raw, answer):
        server = raw(answer(200, RUN))
        ask = asker(max_connections=4)
        wait(futures := [ask(server.url) for _ in range(400)])
        assert {future.result().status_code for future in futures} == {200}
        assert len(server.requests) == 400
        assert len(server.connections) <= 4
        assert places(ask.ledger, 4) == 4


class TestAConnection:
    def test_last_used_is_reused_first(self, asker, raw, answer):
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
    def test_unused_is_closed(self, asker, raw, answer, limits):
        gate = threading.Event()
        server = raw([gate, answer(200, RUN)], [gate, answer(200, RUN)], [answer(200, RUN), "hang"])
        ask = asker(**limits)
        both = [ask(server.url), ask(server.url)]
        until(lambda: len(server.requests) == 2)
        gate.set()
        wait(both, 5)
        assert ask(server.url).result(5).status_code == 200
        assert all(map(was_closed, server.connections[:2]))

    def test_leads_to_one_server_only(self, asker, raw, answer):
        servers = [raw(answer(200, RUN)), raw(answer(200, RUN))]
        ask = asker(max_connections=2)
        for _ in range(3):
            for server in servers:
                assert ask(server.url).result(5).status_code == 200
        assert [len(server.requests) for server in servers] == [3, 3]
        assert [len(server.connections) for server in servers] == [1, 1]

    def test_is_closed_for_another_server(self, asker, raw, answer):
        servers = [raw(answer(200, RUN)), raw(answer(200, RUN))]
        ask = asker(max_connections=1)
        for _ in range(2):
            for server in servers:
                assert ask(server.url).result(5).status_code == 200
        assert [len(server.requests) for server in servers] == [2, 2]
        assert places(ask.ledger, 1) == 1

    def test_that_could_not_be_made_is_forgotten(self, asker, raw):
        server = raw()
        server.close()
        ask = asker(max_connections=1)
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                ask(server.url).result(5)
        assert places(ask.ledger, 1) == 1


class Source:
    """Creates connections in memory, in place of httpcore."""

    def __init__(self, kind, **settings):
        self.made = []
        self._kind = kind
        self._settings = settings

    def create_connection(self, origin):
        self.made.append(self._kind(**self._settings))
        return self.made[-1]


class Connection:
    """A connection in memory, which detects concurrent use, and may fail to end its response."""

    def __init__(self, fails=None):
        self.is_busy = self.was_closed = False
        self.fails = fails

    def is_idle(self):
        return not self.is_busy and not self.was_closed

    def has_expired(self):
        return False

    def handle_request(self, request):
        self.is_busy = True
        return httpcore.Response(200, content=self.Body(self))

    def close(self):
        self.was_closed = True

    class Body:
        def __init__(self, connection):
            self.connection = connection

        def __iter__(self):
            yield b"{}"

        def close(self):
            self.connection.is_busy = False
            if self.connection.fails:
                raise self.connection.fails


class AsyncConnection(Connection):
    """An async connection in memory, with points at which to cancel."""

    async def handle_async_request(self, request):
        assert self.is_idle()
        self.is_busy = True
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        except BaseException:
            self.is_busy = False
            raise
        return httpcore.Response(200, content=self.AsyncBody(self))

    async def aclose(self):
        await asyncio.sleep(0)
        self.close()

    class AsyncBody(Connection.Body):
        async def __aiter__(self):
            await asyncio.sleep(0)
            yield b"{}"

        async def aclose(self):
            self.connection.is_busy = False
            await asyncio.sleep(0)
            self.close()


REQUEST = httpcore.Request("GET", "http://host/")


def in_memory(kind, source, limits):
    pool = kind(limits)
    pool.create_connection = source.create_connection
    return pool


class TestACancelledTask:
    @pytest.mark.parametrize("connections", [1, 2])
    def test_keeps_connections_usable(self, connections):
        async def ask(pool):
            response = await pool.handle_async_request(REQUEST)
            try:
                return [part async for part in response.stream]
            finally:
                await response.aclose()

        async def tried(steps):
            source = Source(AsyncConnection)
            pool = in_memory(AsyncPool, source, httpx.Limits(max_connections=connections))
            tasks = [asyncio.create_task(ask(pool)) for _ in range(4)]
            for _ in range(steps):
                await asyncio.sleep(0)
            was_over = tasks[1].done()
            tasks[1].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert results[:1] + results[2:] == [[b"{}"]] * 3
            assert await asyncio.gather(*[ask(pool) for _ in range(4)]) == [[b"{}"]] * 4
            await pool.aclose()
            # None stays open, including those that were dropped.
            assert all(connection.was_closed for connection in source.made)
            return was_over

        for steps in itertools.count():
            if asyncio.run(tried(steps)):
                break
        assert steps >= 5

    def test_keeps_sockets_usable(self, raw, answer):
        server = raw(answer(200, RUN))

        async def tried(core, steps):
            task = asyncio.create_task(run_get_async(core, "r"))
            for _ in range(steps):
                await asyncio.sleep(0)
            was_over = task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert isinstance(await run_get_async(core, "r"), Success)
            ledger = core.connections.async_client(lasting=False)._transport._pool._ledger
            assert places(ledger, 100) == 100
            return was_over

        async def try_all():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                # In growing steps, because most time is spent waiting for the other thread.
                steps = 0
                while not await tried(core, steps):
                    steps += 1 + steps // 8
                return steps

        assert asyncio.run(try_all()) > 0

    def test_passes_its_new_slot_on(self):
        async def tried():
            ledger = Ledger(httpx.Limits(max_connections=1))
            first, second, third = (asyncio.get_running_loop().create_future() for _ in range(3))
            place = ledger.take(REQUEST.url.origin)
            with (
                ledger.line(first, None),
                ledger.line(third, None),
                suppress(ZeroDivisionError),
                ledger.line(second, None),
            ):
                ledger._waiting.move_to_end(third)
                first.cancel()  # and its task has not run since
                ledger.keep(place)
                assert second.result() is place
                raise ZeroDivisionError
            assert third.result() is place

        asyncio.run(tried())

    def test_during_close_stays_cancelled(self):
        async def tried():
            ledger = Ledger(httpx.Limits(max_connections=0))
            first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
            with ledger.line(first, None), suppress(ZeroDivisionError), ledger.line(second, None):
                first.cancel()
                ledger.close()
                raise ZeroDivisionError
            assert isinstance(second.exception(), httpcore.PoolTimeout)

        asyncio.run(tried())


def test_slot_freed_before_the_line_is_taken():
    ledger = Ledger(httpx.Limits(max_connections=1))
    turn = Future()
    with ledger.line(turn, REQUEST.url.origin):
        assert turn.result().origin == REQUEST.url.origin


class TestAnAnswer:
    def test_unclosable_body_drops_its_connection(self):
        source = Source(Connection, fails=OSError("no"))
        pool = in_memory(Pool, source, httpx.Limits(max_connections=1))
        with pytest.raises(OSError, match="no"):
            pool.handle_request(REQUEST).close()
        assert places(pool._ledger, 1) == 1
        assert source.made[0].was_closed

        async def tried():
            source = Source(AsyncConnection, fails=OSError("no"))
            pool = in_memory(AsyncPool, source, httpx.Limits(max_connections=1))
            response = await pool.handle_async_request(REQUEST)
            with pytest.raises(OSError, match="no"):
                await response.aclose()
            assert places(pool._ledger, 1) == 1
            assert source.made[0].was_closed

        asyncio.run(tried())

    def test_body_closed_twice_returns_its_slot_once(self):
        pool = in_memory(Pool, Source(Connection), httpx.Limits(max_connections=2))
        response = pool.handle_request(REQUEST)
        response.close()
        response.close()
        assert places(pool._ledger, 2) == 2

        async def tried():
            pool = in_memory(AsyncPool, Source(AsyncConnection), httpx.Limits(max_connections=2))
            body = (await pool.handle_async_request(REQUEST)).stream
            await body.aclose()
            await body.aclose()
            assert places(pool._ledger, 2) == 2

        asyncio.run(tried())

    def test_body_closed_after_its_client(self):
        source = Source(Connection)
        pool = in_memory(Pool, source, httpx.Limits())
        response = pool.handle_request(REQUEST)
        pool.close()
        source.made[0].was_closed = False  # as if it were connecting meanwhile
        response.close()
        response.close()
        assert source.made[0].was_closed

        async def tried():
            source = Source(AsyncConnection)
            pool = in_memory(AsyncPool, source, httpx.Limits(max_connections=1))
            response = await pool.handle_async_request(REQUEST)
            await pool.aclose()
            source.made[0].was_closed = False
            await response.aclose()
            await response.aclose()
            assert source.made[0].was_closed

        asyncio.run(tried())


def test_connection_to_another_server_is_closed():
    other = httpcore.Request("GET", "http://other/")
    source = Source(Connection)
    pool = in_memory(Pool, source, httpx.Limits(max_connections=1))
    for request in (REQUEST, other):
        pool.handle_request(request).close()
    assert [connection.was_closed for connection in source.made] == [True, False]

    async def tried():
        source = Source(AsyncConnection)
        pool = in_memory(AsyncPool, source, httpx.Limits(max_connections=1))
        for request in (REQUEST, other):
            await (await pool.handle_async_request(request)).aclose()
        assert [connection.was_closed for connection in source.made] == [True, False]

    asyncio.run(tried())


def test_async_pool_is_closed_without_awaiting():
    async def tried():
        pool = AsyncPool(httpx.Limits(max_connections=0))
        task = asyncio.create_task(pool.handle_async_request(REQUEST))
        await asyncio.sleep(0)
        pool.close()
        with pytest.raises(httpcore.PoolTimeout, match="closed"):
            await task

    asyncio.run(tried())


@pytest.mark.parametrize("connections", [1, 100])
def test_request_checks_one_connection(connections):
    looks = []

    class Watched(Connection):
        def has_expired(self):
            looks.append(self)
            return False

    source = Source(Watched)
    pool = in_memory(Pool, source, httpx.Limits(max_connections=100))
    for response in [pool.handle_request(REQUEST) for _ in range(connections)]:
        response.close()
    assert len(source.made) == connections
    pool.handle_request(REQUEST).close()
    assert looks == [source.made[-1]]


def test_another_kind_of_address_is_refused(asker):
    with pytest.raises(httpx.UnsupportedProtocol, match="ftp"):
        asker()("ftp://host/").result(5)


class TestACore:
    def test_has_at_most_hundred_connections(self, raw, answer):
        gate = threading.Event()
        server = raw([gate, answer(200, RUN)])

        async def ask():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                tasks = [asyncio.create_task(run_get_async(core, "r")) for _ in range(300)]
                while len(server.requests) < 100:
                    await asyncio.sleep(0)
                gate.set()
                return await asyncio.gather(*tasks)

        assert all(isinstance(result, Success) for result in asyncio.run(ask()))
        assert len(server.connections) == 100

    def test_close_ends_calls_with_their_fates(self, raw):
        server = raw(["hang"])

        async def close():
            core = ComfyDeployCore(bearer="k", server_url=server.url)
            tasks = [asyncio.create_task(run_get_async(core, "r")) for _ in range(103)]
            while len(server.requests) < 100:
                await asyncio.sleep(0)
            await core.aclose()
            return [result.failure() for result in await asyncio.gather(*tasks)]

        found = asyncio.run(close())
        assert {type(error) for error in found} == {errors.RequestAbortedError}
        assert [error.fate for error in found].count("not_sent") == 3

    def test_goes_through_proxy_of_environment(self, calls, raw, answer, monkeypatch):
        proxy, server = raw(answer(200, RUN)), raw(answer(200, RUN))
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert isinstance(calls("run_get", calls.core("http://example.com/api"), "r"), Success)
        assert proxy.requests[0][0] == "GET http://example.com/api/run/r HTTP/1.1"
        assert isinstance(calls("run_get", calls.core(server.url), "r"), Success)
        assert len(proxy.requests) == len(server.requests) == 1

    def test_gives_pool_limit_of_call_to_line(self, calls, raw):
        server = raw(["hang"])
        options = RequestOptions(timeout=httpx.Timeout(0.05, pool=3))
        error = calls("run_get", calls.core(server.url), "r", options).failure()
        assert isinstance(error, errors.RequestTimeoutError)
        assert error.fate == "unknown"


class TestAConnectionThatIsNotUsedAgain:
    @pytest.mark.parametrize("status", [500, 502, 599])
    def test_after_server_error(self, asker, raw, answer, status):
        server = raw(answer(status), answer(200, RUN))
        ask = asker()
        for expected in (status, 200, 200):
            assert ask(server.url).result(5).status_code == expected
        assert len(server.connections) == 2
        assert was_closed(server.connections[0])

    @pytest.mark.parametrize("surplus", ["with the answer", "later"])
    def test_with_unread_bytes(self, asker, raw, answer, surplus):
        gate = threading.Event()
        more = answer(200, b"surplus")
        server = raw([answer(200, RUN) + more] if surplus == "with the answer" else [answer(200, RUN), gate, more])
        ask = asker()
        assert ask(server.url).result(5).content == RUN
        if surplus == "later":
            (slot,) = ask.ledger._idle
            gate.set()
            until(slot.connection.has_expired)
        assert ask(server.url).result(5).content == RUN
        assert len(server.connections) == 2

    def test_that_has_ended(self, asker, raw):
        """Without a length the end of the connection is that of the response."""
        ask = asker()
        assert ask(raw([b"HTTP/1.1 200 OK\r\n\r\n" + RUN, "close"]).url).result(5).content == RUN
        assert not ask.ledger._taken

    def test_through_proxy(self, calls, raw, answer, monkeypatch):
        proxy = raw(answer(200, RUN) + answer(200, b"surplus"))
        monkeypatch.setenv("http_proxy", proxy.url)
        core = calls.core("http://example.com/api")
        for _ in range(2):
            assert calls("run_get", core, "r").unwrap().id == "r"
        assert len(proxy.connections) == 2


class TestALostSlot:
    def test_slot_is_free_again(self, asker, raw, answer):
        ask = asker(max_connections=1)
        ledger = ask.ledger
        slot = ledger.take(REQUEST.url.origin)
        assert ledger.take(REQUEST.url.origin) is None
        del slot
        assert ledger.take(REQUEST.url.origin) is not None

    def test_serves_line(self):
        ledger, turn = Ledger(httpx.Limits(max_connections=1)), Future()
        slot = ledger.take(REQUEST.url.origin)
        with ledger.line(turn, REQUEST.url.origin):
            del slot
            assert turn.result(0).origin == REQUEST.url.origin

    def test_that_was_just_put_back_is_not_lent(self):
        ledger = Ledger(httpx.Limits(max_connections=1))
        slot = ledger.take(REQUEST.url.origin)
        ledger.keep(slot)
        ledger.drop(slot)
        assert not ledger._idle
