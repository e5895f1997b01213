"""Streams over sockets: no event is lost, no bytes break them, and they are closed when they are left."""

import asyncio
import gc
import subprocess
import sys
import threading
import zlib

import httpx
import pytest

from comfydeploy import ComfyDeployCore, Failure, Hooks, RequestOptions, Success, errors, unwrap
from comfydeploy.funcs.run_logs_stream import run_logs_stream_async
from comfydeploy.funcs.run_stream import run_stream, run_stream_async
from comfydeploy.models import EventUpdateEvent, LogUpdateEvent

REQUEST = {"deployment_id": "d"}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(text):
    data = text.encode() if isinstance(text, str) else text
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def event(text, name="event_update"):
    return chunk(f"event: {name}\ndata: {text}\n\n")


QUEUING = event('{"event": "queuing"}')
NAMELESS = event('{"prompt_id": "the-run", "number": 3, "node_errors": {}}')
ENDED = event('{"event": "status", "data": {"prompt_id": "the-run", "status": "success"}}')


def opened(calls, server, options=None, **settings):
    return unwrap(calls("run_stream", calls.core(server.url, **settings), REQUEST, options))


def test_stream_gives_every_event_and_run_id(calls, raw):
    log = event('{"logs": "hello", "timestamp": "2026-11-23T19:04:36.586695Z"}', "log_update")
    stream = opened(calls, raw([HEAD, QUEUING, NAMELESS, log, ENDED, END]))
    assert stream.run_id is None
    items = calls.items(stream)
    assert [type(unwrap(item)) for item in items] == [
        EventUpdateEvent,
        EventUpdateEvent,
        LogUpdateEvent,
        EventUpdateEvent,
    ]
    assert unwrap(items[1]).data.data["number"] == 3
    assert stream.run_id == "the-run"


def test_undecodable_stream_keeps_run_id(calls, raw):
    head = HEAD.replace(b"chunked", b"chunked\r\ncontent-encoding: gzip")
    packer = zlib.compressobj(wbits=31)
    whole = packer.compress(b'event: event_update\ndata: {"prompt_id": "the-run"}\n\n')
    whole += packer.flush(zlib.Z_SYNC_FLUSH)
    items = calls.items(opened(calls, raw([head, chunk(whole), chunk(b"\xff" * 50), END])))
    error = items[-1].failure()
    assert unwrap(items[0]).data.data == {"prompt_id": "the-run"}
    assert (type(error), error.fate, error.run_id) == (errors.ConnectionError, "answered", "the-run")
    assert str(error).startswith("The body of the response cannot be decompressed")


@pytest.mark.parametrize("given", [False, True])
def test_lost_stream_holds_no_token(calls, raw, given):
    server = raw([HEAD, QUEUING, "close"])
    clients = {"http_client": httpx.Client(), "async_http_client": httpx.AsyncClient()} if given else {}
    (*_, last) = calls.items(opened(calls, server, **clients))
    link = last.failure()
    while link:
        assert "key-of-the-test" not in str(getattr(getattr(link, "_request", None), "headers", ""))
        assert "key-of-the-test" not in f"{link!r} {vars(link)}"
        assert link.__traceback__ is None
        link = link.__cause__
    if given:
        clients["http_client"].close()
        calls.run(clients["async_http_client"].aclose())


def test_stream_may_be_read_item_by_item(calls, raw):
    stream = opened(calls, raw([HEAD, QUEUING, ENDED, END]))

    async def read_async():
        return [await anext(stream, None) for _ in range(3)]

    read = calls.run(read_async()) if calls.awaited else [next(stream, None) for _ in range(3)]
    assert [item and type(unwrap(item)) for item in read] == [EventUpdateEvent, EventUpdateEvent, None]


def test_stream_goes_on_after_malformed_event(calls, raw):
    items = calls.items(opened(calls, raw([HEAD, QUEUING, event('{"event": "exec'), ENDED, END])))
    assert [isinstance(item, Success) for item in items] == [True, False, True]
    assert isinstance(items[1].failure(), errors.MalformedEvent)
    assert items[1].failure().raw == '{"event": "exec'


@pytest.mark.parametrize("end", ["reset", "close"])
def test_cut_connection_is_one_last_failure_item(calls, raw, end):
    items = calls.items(opened(calls, raw([HEAD, QUEUING, NAMELESS, end])))
    assert len(items) == 3
    assert isinstance(items[-1].failure(), errors.ConnectionError)
    assert items[-1].failure().fate == "answered"


def test_cut_keeps_complete_events(calls, raw):
    whole = calls.items(opened(calls, raw([HEAD, chunk('event: event_update\ndata: {"event": "queuing"}'), "close"])))
    assert [isinstance(item, Success) for item in whole] == [True, False]
    half = calls.items(opened(calls, raw([HEAD, chunk('event: event_update\ndata: {"event": "que'), "close"])))
    assert [type(item.failure()) for item in half] == [errors.ConnectionError]


def test_unfinished_event_at_the_end_is_returned(calls, raw):
    items = calls.items(opened(calls, raw([HEAD, chunk('event: event_update\ndata: {"event": "que'), END])))
    assert [type(item.failure()) for item in items] == [errors.MalformedEvent]


def test_idle_timeout_is_the_last_item(calls, raw):
    server = raw([HEAD, QUEUING, "hang"])
    items = calls.items(opened(calls, server, RequestOptions(idle_timeout=0.05)))
    assert isinstance(items[0], Success)
    assert isinstance(items[1].failure(), errors.RequestTimeoutError)
    assert items[1].failure().fate == "answered"
    assert len(items) == 2
    assert server.left.wait(5)


def test_timeout_limits_only_the_head(calls, raw):
    server = raw([HEAD, QUEUING, "hang"])
    stream = opened(calls, server, RequestOptions(timeout=7))
    assert stream._response.request.extensions["timeout"] == {"connect": 7, "read": None, "write": 7, "pool": None}
    calls.close_stream(stream)


@pytest.mark.parametrize("count", [1, 2])
def test_leaving_loop_closes_connection_at_once(calls, raw, count):
    server = raw([HEAD, QUEUING, NAMELESS, "hang"])
    stream = opened(calls, server)
    items = calls.items(stream, count)
    assert len(items) == count
    assert calls.wait(server.left)  # the event loop closes the stream that an ``async for`` has left
    assert isinstance(stream, object)  # still referenced, so the loop has closed it


def test_reading_after_leaving_is_aborted(calls, raw):
    stream = opened(calls, raw([HEAD, QUEUING, NAMELESS, "hang"]))
    calls.items(stream, 1)
    calls.close_stream(stream)
    items = calls.items(stream)
    assert [type(item.failure()) for item in items] == [errors.RequestAbortedError]
    assert calls.items(stream) == []


def test_closing_an_ended_stream_does_nothing(calls, raw):
    stream = opened(calls, raw([HEAD, QUEUING, END]))
    assert len(calls.items(stream)) == 1
    calls.close_stream(stream)
    assert calls.items(stream) == []


def test_exception_in_loop_closes_connection(raw, calls):
    server = raw([HEAD, QUEUING, "hang"])
    core = calls.core(server.url)

    async def awaited():
        async with unwrap(await run_stream_async(core, REQUEST)) as stream:
            async for _ in stream:
                raise LookupError

    def blocking():
        with unwrap(run_stream(core, REQUEST)) as stream:
            for _ in stream:
                raise LookupError

    with pytest.raises(LookupError):
        calls.run(awaited()) if calls.awaited else blocking()
    assert server.left.wait(5)


def test_last_reference_closes_connection(raw, calls):
    server = raw([HEAD, QUEUING, "hang"])
    core = calls.core(server.url)

    async def forget():
        stream = unwrap(await run_stream_async(core, REQUEST))
        assert isinstance(await anext(stream), Success)
        del stream
        gc.collect()
        await asyncio.to_thread(server.left.wait, 5)

    if calls.awaited:
        calls.run(forget())
    else:
        stream = unwrap(run_stream(core, REQUEST))
        assert isinstance(next(stream), Success)
        del stream
    assert server.left.wait(5)


def test_stream_after_its_event_loop(raw):
    server = raw([HEAD, QUEUING, "hang"])

    async def leave():
        from comfydeploy import ComfyDeployCore

        client = httpx.AsyncClient()
        stream = unwrap(
            await run_stream_async(
                ComfyDeployCore(bearer="k", server_url=server.url, async_http_client=client), REQUEST
            )
        )
        await client.aclose()
        return stream

    stream = asyncio.run(leave())
    del stream
    gc.collect()
    assert server.left.wait(5)


def test_child_process_does_not_cut_a_stream(raw):
    server = raw([HEAD, QUEUING, NAMELESS, ENDED, END])
    code = (
        "import os\n"
        "from comfydeploy import ComfyDeployCore, Success\n"
        "from comfydeploy.funcs.run_stream import run_stream\n"
        f"core = ComfyDeployCore(bearer='k', server_url='{server.url}')\n"
        "stream = run_stream(core, {'deployment_id': 'd'}).unwrap()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    stream.close()\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "print([isinstance(item, Success) for item in stream])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[True, True, True]"


def test_closing_wakes_a_reader_thread(raw, calls):
    server = raw([HEAD, QUEUING, "hang"])
    stream = unwrap(run_stream(calls.core(server.url), REQUEST))
    assert isinstance(next(stream), Success)
    closer = threading.Timer(0.05, stream.close)
    closer.start()
    items = list(stream)
    closer.join()
    assert [type(item.failure()) for item in items] == [errors.RequestAbortedError]


def test_closing_the_core_aborts_streams(raw, calls):
    core = calls.core(raw([HEAD, QUEUING, "hang"]).url)
    stream = unwrap(calls("run_stream", core, REQUEST))
    first = calls.run(anext(stream)) if calls.awaited else next(stream)
    assert isinstance(first, Success)
    calls.close_core(core)
    assert [type(item.failure()) for item in calls.items(stream)] == [errors.RequestAbortedError]


def test_answer_that_is_no_stream_is_error(calls, raw, answer):
    result = calls("run_stream", calls.core(raw(answer(200, b'{"run_id": "x"}')).url), REQUEST)
    error = result.failure()
    assert isinstance(error, errors.SDKError)
    assert "application/json" in error.message
    assert "may have been created" in str(error)


def test_stream_with_error_status_is_not_read(calls, raw):
    server = raw([HEAD.replace(b"200 OK", b"500 X"), QUEUING, "hang"])
    error = calls("run_stream", calls.core(server.url), REQUEST).failure()
    assert isinstance(error, errors.SDKError)
    assert error.status_code == 500
    assert server.left.wait(5)


def test_raising_hook_closes_the_connection(calls, raw):
    def fail(context, reply):
        raise LookupError(context.operation_id)

    server = raw([HEAD, QUEUING, "hang"])
    result = calls("run_stream", calls.core(server.url, hooks=[Hooks(after_success=fail)]), REQUEST)
    error = result.failure()
    assert isinstance(error, errors.UnexpectedClientError)
    assert error.fate == "answered"
    assert server.left.wait(5)


def test_hook_may_replace_the_head(calls, raw):
    from comfydeploy.hooks import Reply

    hook = Hooks(after_success=lambda _, reply: Reply(reply.status_code, dict(reply.headers)))
    assert len(calls.items(opened(calls, raw([HEAD, QUEUING, END]), hooks=[hook]))) == 1


def test_streams_have_their_own_connections(raw, answer, calls):
    streaming = raw([HEAD, QUEUING, "hang"])
    core = calls.core(streaming.url)
    streams = [unwrap(calls("run_stream", core, REQUEST)) for _ in range(101)]
    other = raw(answer(200, b'{"id": "x", "status": "queued"}'))
    result = calls("run_get", core, "x", RequestOptions(server_url=other.url, timeout=5))
    assert isinstance(result, Success)
    for stream in streams:
        calls.close_stream(stream)


def test_transport_without_sockets_streams(calls):
    body = b'event: event_update\ndata: {"event": "queuing"}\n\n'
    handler = lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)  # noqa: E731 - short
    core = calls.core(transport=httpx.MockTransport(handler))
    stream = unwrap(calls("run_stream", core, REQUEST))
    assert len(calls.items(stream, 1)) == 1
    calls.close_stream(stream)


def test_other_exception_is_unexpected_item(calls):
    class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            yield b": hello\n\n"
            raise LookupError("lost")

        async def __aiter__(self):
            yield b": hello\n\n"
            raise LookupError("lost")

    handler = lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Broken())  # noqa: E731 - short
    stream = unwrap(calls("run_stream", calls.core(transport=httpx.MockTransport(handler)), REQUEST))
    items = calls.items(stream)
    assert [type(item.failure()) for item in items] == [errors.UnexpectedClientError]
    assert isinstance(items[0], Failure)


def test_memory_error_passes_through(calls):
    class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            raise MemoryError
            yield b""

        async def __aiter__(self):
            raise MemoryError
            yield b""

    handler = lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Broken())  # noqa: E731 - short
    stream = unwrap(calls("run_stream", calls.core(transport=httpx.MockTransport(handler)), REQUEST))
    with pytest.raises(MemoryError):
        calls.items(stream)
    calls.close_stream(stream)


class TestInterruptedReads:
    def test_cancelled_read_goes_on(self, raw):
        go_on = threading.Event()
        half = chunk('event: event_update\ndata: {"event": ')
        server = raw([HEAD, QUEUING, half, go_on, chunk('"gpu_ready"}\n\n'), END])

        async def read():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                stream = unwrap(await run_stream_async(core, REQUEST))
                first = await anext(stream)
                for _ in range(2):
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(anext(stream), 0.01)
                go_on.set()
                return [first, *[item async for item in stream]]

        assert [unwrap(item).data.event for item in asyncio.run(read())] == ["queuing", "gpu_ready"]

    def test_log_stream_goes_on_too(self, raw):
        go_on = threading.Event()
        server = raw([HEAD, go_on, chunk('data: {"message": "hello"}\n\n'), END])

        async def read():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                stream = unwrap(await run_logs_stream_async(core, "r"))
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await anext(stream)
                go_on.set()
                return [item async for item in stream]

        assert [unwrap(item).message for item in asyncio.run(read())] == ["hello"]

    @pytest.mark.parametrize("end", ["aclose", "del"])
    def test_leaving_after_cancelled_read_closes(self, raw, end):
        server = raw([HEAD, "hang"])

        async def leave():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                stream = unwrap(await run_stream_async(core, REQUEST))
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(stream), 0.01)
                if end == "aclose":
                    await stream.aclose()
                    assert isinstance((await anext(stream)).failure(), errors.RequestAbortedError)
                else:
                    del stream
                    gc.collect()
                return await asyncio.to_thread(server.left.wait, 5)

        assert asyncio.run(leave())

    def test_ctrl_c_is_one_aborted_item(self, raw, monkeypatch):
        server = raw([HEAD, NAMELESS, chunk('event: event_update\ndata: {"event": "gpu_r'), "hang"])
        with ComfyDeployCore(bearer="k", server_url=server.url) as core:
            stream = unwrap(run_stream(core, REQUEST))
            next(stream)

            def interrupted(*_):
                raise KeyboardInterrupt

            monkeypatch.setattr(stream, "_chunks", map(interrupted, [0]))
            with pytest.raises(KeyboardInterrupt):
                next(stream)
            last = next(stream).failure()
            assert isinstance(last, errors.RequestAbortedError)
            assert last.run_id == "the-run"
            assert next(stream, None) is None
            assert server.left.wait(5)


class TestASecondReader:
    def test_of_blocking_stream_gets_error(self, raw):
        go_on = threading.Event()
        server = raw([HEAD, QUEUING, go_on, ENDED, END])
        with ComfyDeployCore(bearer="k", server_url=server.url) as core:
            stream = unwrap(run_stream(core, REQUEST))
            next(stream)
            found = []
            first = threading.Thread(target=lambda: found.append(next(stream)))
            first.start()
            while not stream._state.reader.locked():
                pass
            assert "being read" in str(next(stream).failure())
            assert ["being read" in str(item.failure()) for item in stream] == [True]
            go_on.set()
            first.join(5)
            assert unwrap(found[0]).data.event == "status"

    def test_of_async_stream_gets_error(self, raw):
        go_on = threading.Event()
        server = raw([HEAD, QUEUING, go_on, ENDED, END])

        async def read():
            async with ComfyDeployCore(bearer="k", server_url=server.url) as core:
                stream = unwrap(await run_stream_async(core, REQUEST))
                await anext(stream)
                first = asyncio.create_task(anext(stream))
                await asyncio.sleep(0)
                second = [await anext(stream), *[item async for item in stream]]
                go_on.set()
                return second, await first

        second, first = asyncio.run(read())
        assert ["being read" in str(item.failure()) for item in second] == [True, True]
        assert unwrap(first).data.event == "status"
