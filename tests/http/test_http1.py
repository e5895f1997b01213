"""The connections of a core: when they replace those of httpcore, and what pools ask of them."""

import asyncio
import logging
import runpy
import sys
from functools import partialmethod

import httpcore
import pytest
from connections_in_memory import OK, ORIGIN, Memory

from comfydeploy import ComfyDeployCore
from comfydeploy._http import http1
from comfydeploy._http.h11_response import H11Response
from comfydeploy._http.http1 import AsyncConnection, Connection, may_replace
from comfydeploy.funcs.run_get import run_get, run_get_async

REQUEST = httpcore.Request("GET", "http://h/", headers=[(b"Host", b"h")])


def mocked(*_):
    headers = [(b"content-type", b"application/json")]
    return httpcore.Response(200, headers=headers, content=b'{"id": "mocked", "status": "queued"}')


class AsyncMemory(httpcore.AsyncNetworkBackend, httpcore.AsyncNetworkStream):
    def __init__(self, pieces):
        self.memory = Memory(pieces)

    async def connect_tcp(self, *_, **__):
        return self

    async def read(self, max_bytes, *_):
        return self.memory.read(max_bytes)

    async def write(self, buffer, *_):
        self.memory.write(buffer)

    async def aclose(self):
        self.memory.close()

    def get_extra_info(self, info):
        return self.memory.get_extra_info(info)


@pytest.fixture(params=["blocking", "awaited"])
def received(request, parser):
    """Send a request over a connection to bytes, and return the connection and the body."""

    def blocking(*pieces):
        connection = Connection(ORIGIN, Memory(pieces), None)
        return connection, b"".join(connection.handle_request(REQUEST).stream)

    async def awaited(*pieces):
        connection = AsyncConnection(ORIGIN, AsyncMemory(pieces), None)
        response = await connection.handle_async_request(REQUEST)
        return connection, b"".join([part async for part in response.stream])

    return blocking if request.param == "blocking" else lambda *pieces: asyncio.run(awaited(*pieces))


def closed(connection):
    if isinstance(connection, Connection):
        connection.close()
        connection.close()
    else:
        asyncio.run(connection.aclose())
        asyncio.run(connection.aclose())
    return connection


def kinds(server):
    core = ComfyDeployCore(bearer="k", server_url=server.url)
    assert run_get(core, "r").unwrap().id == "r"
    (slot,) = core.connections.client(lasting=False)._transport._pool._ledger._idle
    found = type(slot.connection)
    core.close()
    return found


@pytest.fixture
def server(raw, answer):
    return raw(answer(200, b'{"id": "r", "status": "queued"}'))


class TestWhereItIsUsed:
    def test_by_default(self, server):
        assert kinds(server) is Connection

    def test_not_where_a_mock_replaces_connections(self, server, monkeypatch):
        real = httpcore.HTTPConnection.handle_request
        monkeypatch.setattr(httpcore.HTTPConnection, "handle_request", partialmethod(real))
        assert not may_replace()
        assert kinds(server) is httpcore.HTTPConnection

    @pytest.mark.parametrize("kind", ["HTTPConnection", "AsyncHTTPConnection"])
    def test_not_where_first_imported_within_a_mock(self, monkeypatch, kind):
        method = "handle_request" if kind == "HTTPConnection" else "handle_async_request"
        monkeypatch.setattr(getattr(httpcore, kind), method, lambda *_: None)
        assert not runpy.run_path(http1.__file__)["may_replace"]()

    def test_mock_replaces_idle_connection(self, server, monkeypatch):
        with ComfyDeployCore(bearer="k", server_url=server.url) as core:
            run_get(core, "r").unwrap()
            monkeypatch.setattr(httpcore.HTTPConnection, "handle_request", mocked)
            assert run_get(core, "r").unwrap().id == "mocked"

    def test_mock_replaces_awaited_connection(self, server, monkeypatch):
        async def respond(*_):
            return mocked()

        async def calls():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                (await run_get_async(core, "r")).unwrap()
                monkeypatch.setattr(httpcore.AsyncHTTPConnection, "handle_async_request", respond)
                return (await run_get_async(core, "r")).unwrap()

        assert asyncio.run(calls()).id == "mocked"

    def test_not_where_a_log_shows_steps(self, server, caplog):
        caplog.set_level(logging.DEBUG, logger=httpcore.__name__)
        assert kinds(server) is httpcore.HTTPConnection
        assert any("receive_response_headers" in record.message for record in caplog.records)


def test_without_extra_h11_reads(monkeypatch):
    monkeypatch.setitem(sys.modules, "httptools", None)
    monkeypatch.delitem(sys.modules, "comfydeploy._http.llhttp_response", raising=False)
    assert runpy.run_path(http1.__file__)["new_response"] is H11Response


def test_states(received):
    connection, body = received(OK + b"content-length: 2\r\n\r\n", b"hi")
    assert body == b"hi"
    assert connection.is_idle()
    assert not connection.has_expired()
    closed(connection)
    assert not connection.is_idle()
    assert connection.has_expired()


@pytest.mark.parametrize(("value", "stays"), [(b"close", False), (b"te, Close", False), (b"keep-alive", True)])
def test_request_that_closes_connection(parser, value, stays):
    connection = Connection(ORIGIN, Memory([OK + b"content-length: 0\r\n\r\n"]), None)
    headers = [(b"Host", b"h"), (b"Connection", value)]
    assert not b"".join(connection.handle_request(httpcore.Request("GET", "http://h/", headers=headers)).stream)
    assert connection.is_idle() == stays


def test_pieces_of_body_arrive_one_by_one(received):
    assert received(OK + b"a: b\r\n\r\n", b"one", b"two")[1] == b"onetwo"


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("parts", [[], [b"a", b"b"]])
def test_parts_of_a_body_are_sent(awaited, parts, parser):
    headers = [(b"Host", b"h"), (b"Content-Length", b"%d" % len(parts))]
    answer = OK + b"content-length: 0\r\n\r\n"

    async def parts_async():
        for part in parts:
            yield part

    async def send():
        memory = AsyncMemory([answer])
        request = httpcore.Request("POST", "http://h/", headers=headers, content=parts_async())
        await AsyncConnection(ORIGIN, memory, None).handle_async_request(request)
        return memory.memory.sent

    if awaited:
        sent = asyncio.run(send())
    else:
        memory = Memory([answer])
        request = httpcore.Request("POST", "http://h/", headers=headers, content=iter(parts))
        Connection(ORIGIN, memory, None).handle_request(request)
        sent = memory.sent
    assert b"".join(sent).partition(b"\r\n\r\n")[2] == b"".join(parts)


def test_nonsense_follows_what_was_received(received):
    with pytest.raises(httpcore.RemoteProtocolError):
        received(OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n")
