"""A stream closes its response at every end of its body, and yields its items in order; without a connection."""

import asyncio
import os
import socket
from types import SimpleNamespace

import pytest

from comfydeploy._wire.events import RunStreamDecoder
from comfydeploy.errors import RequestAbortedError, UnexpectedClientError
from comfydeploy.result import Failure, Success
from comfydeploy.streaming import AsyncEventStream, EventStream

THREE = b"".join(b'event: log_update\ndata: {"logs": "%d"}\n\n' % number for number in range(3))


class Response:
    """A response whose body is chunks and exceptions; ``closed`` counts how often it was closed."""

    http_version = "HTTP/1.1"

    def __init__(self, *chunks, refuses=False):
        self.request = SimpleNamespace(extensions={"timeout": {"read": None}})
        self.extensions = {}
        self.closed = 0
        self._chunks = chunks
        self._refuses = refuses

    def iter_bytes(self):
        for chunk in self._chunks:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk

    async def aiter_bytes(self):
        for chunk in self.iter_bytes():
            yield chunk

    def close(self):
        self.closed += 1
        if self._refuses:
            raise OSError("of closing")

    async def aclose(self):
        self.close()


@pytest.fixture(params=["blocking", "async"])
def read(request):
    """Read a response item by item; return the items, and how often the response was closed by then."""

    def blocking(response):
        stream, items = EventStream(response, SimpleNamespace(is_closed=False), RunStreamDecoder()), []
        while (item := next(stream, None)) is not None:
            items.append(item)
        return items, response.closed

    def awaited(response):
        async def main():
            stream, items = AsyncEventStream(response, SimpleNamespace(is_closed=False), RunStreamDecoder()), []
            while (item := await anext(stream, None)) is not None:
                items.append(item)
            return items, response.closed

        return asyncio.run(main())

    return blocking if request.param == "blocking" else awaited


def test_items_are_read_in_order(read):
    items, closed = read(Response(THREE))
    assert [item.unwrap().data.logs for item in items] == ["0", "1", "2"]
    assert closed == 1


def test_failure_closes_the_response(read):
    items, closed = read(Response(THREE, LookupError("lost")))
    assert [type(item) for item in items] == [Success] * 3 + [Failure]
    assert isinstance(items[-1].failure(), UnexpectedClientError)
    assert closed == 1


@pytest.mark.parametrize("color", ["blocking", "async"])
def test_response_that_refuses_to_close(color):
    response = Response(THREE, refuses=True)

    async def main():
        stream = AsyncEventStream(response, SimpleNamespace(is_closed=False), RunStreamDecoder())
        await stream.aclose()
        return [item async for item in stream]

    if color == "async":
        items = asyncio.run(main())
    else:
        stream = EventStream(response, SimpleNamespace(is_closed=False), RunStreamDecoder())
        stream.close()
        items = list(stream)
    (error,) = [item.failure() for item in items]
    assert isinstance(error, RequestAbortedError)
    assert error.message == "The stream was closed by the caller"
    assert response.closed >= 1


def test_interrupt_closes_the_response():
    response = Response(THREE, KeyboardInterrupt())
    stream = EventStream(response, SimpleNamespace(is_closed=False), RunStreamDecoder())
    for _ in range(3):
        next(stream)
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert response.closed == 1


def test_last_reference_closes_the_response():
    response = Response(THREE)
    stream = EventStream(response, SimpleNamespace(is_closed=False), RunStreamDecoder())
    next(stream)
    assert response.closed == 0
    del stream
    assert response.closed == 1


@pytest.mark.parametrize(("process", "is_cut"), [(os.getpid(), True), (-1, False)])
def test_only_the_process_of_a_stream_cuts_it(monkeypatch, process, is_cut):
    ours, theirs = socket.socketpair()
    response = Response(THREE)
    response.extensions["network_stream"] = SimpleNamespace(get_extra_info=lambda _: ours)
    with ours, theirs:
        theirs.settimeout(0.0)
        stream = EventStream(response, SimpleNamespace(is_closed=False), RunStreamDecoder())
        monkeypatch.setattr("comfydeploy.streaming.os.getpid", lambda: process)
        stream.close()
        if is_cut:
            assert theirs.recv(1) == b""
        else:
            with pytest.raises(BlockingIOError):
                theirs.recv(1)
