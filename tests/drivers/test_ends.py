"""What an interrupt closes at single lines, each reached without a tracer."""

import asyncio
import gc
import threading
import weakref

import httpx
import pytest

from comfydeploy import ComfyDeployCore, Hooks
from comfydeploy._drivers.maps import iterators
from comfydeploy._drivers.maps.engine import Engine
from comfydeploy._drivers.maps.iterators import RunMap
from comfydeploy._drivers.run_files import RunFiles, _target
from comfydeploy._drivers.sinks import Sink
from comfydeploy._drivers.streams import stream
from comfydeploy._wire.upload import Window, checked_upload
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.run_map import run_map_async
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait
from comfydeploy.funcs.run_stream import OPERATION, run_stream
from comfydeploy.streaming import EventStream

RUN = {"deployment_id": "d"}


def interrupt(*_):
    raise KeyboardInterrupt


class InterruptedThread(threading.Thread):
    start = interrupt


class Body(httpx.SyncByteStream):
    """A body that knows whether it was closed."""

    def __init__(self, data):
        self.data = data
        self.closed = 0

    def __iter__(self):
        yield self.data

    def close(self):
        self.closed += 1


@pytest.fixture
def body():
    return Body(b'data: {"event": "queuing"}\n\n')


@pytest.fixture
def core(body):
    def answer(_request):
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)

    with ComfyDeployCore(bearer="k", transport=httpx.MockTransport(answer)) as made:
        yield made


class TestAResponseIsClosed:
    def test_as_its_head_is_read(self, core, body, monkeypatch):
        monkeypatch.setattr("comfydeploy._http.sending._head", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_get(core, "r")
        assert body.closed == 1

    def test_as_the_call_ends(self, body):
        def answer(_request):
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)

        hooks = [Hooks(after_success=interrupt)]
        with ComfyDeployCore(bearer="k", transport=httpx.MockTransport(answer), hooks=hooks) as core:
            with pytest.raises(KeyboardInterrupt):
                run_stream(core, RUN)
            assert body.closed == 1

    def test_as_its_stream_is_made(self, core, body):
        with pytest.raises(KeyboardInterrupt):
            stream(interrupt, core, OPERATION, RUN, None)
        assert body.closed == 1


def test_unfinished_stream_has_nothing_to_close():
    made = EventStream.__new__(EventStream)
    gone = weakref.ref(made)
    del made  # pytest fails a test that leaves an exception in a finalizer
    gc.collect()
    assert gone() is None


def test_interrupt_of_a_wait_names_its_run_once(emulator):
    order = {"deployment_id": emulator.deployments["picture"]}
    core = ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url)
    with core, pytest.raises(KeyboardInterrupt) as found:
        run_queue_and_wait(core, order, on_queued=interrupt)
    assert found.value.__notes__ == [f"The run is {emulator.runs[-1].id}"]


class TestAMapThatHasNotBegun:
    def test_is_closed_before_its_thread(self, monkeypatch):
        monkeypatch.setattr(iterators, "Thread", InterruptedThread)
        items = RunMap(Engine([], interrupt))
        with pytest.raises(KeyboardInterrupt):
            next(items)
        items.close()
        items.close()
        items._loop._thread.run()  # a thread that begins late
        assert items._loop._loop.is_closed()

    def test_has_nothing_to_end(self):
        items = RunMap(Engine([], interrupt))
        items._loop._begin_closing()
        items.close()
        assert items._loop._closing is None


def test_cancelled_end_of_a_map_is_raised(emulator, tmp_path):
    order = {"deployment_id": emulator.deployments["picture"]}

    async def main():
        async with ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url) as core:
            items = run_map_async(core, [order], journal=tmp_path / "journal")
            await anext(items)
            closing = asyncio.create_task(items.aclose())
            while not items._engine._is_ending:
                await asyncio.sleep(0)
            again = asyncio.create_task(items.aclose())  # which does not cut the end
            await asyncio.sleep(0)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            await again

    asyncio.run(main())


class TestWhatAThreadBeginsLate:
    def test_opens_no_target(self, tmp_path):
        sink = Sink(tmp_path / "a.png")
        sink.stop()
        sink.close()
        with pytest.raises(OSError, match="closed"):
            sink.open()
        assert not list(tmp_path.iterdir())

    def test_opens_no_file_to_upload(self, tmp_path):
        path = tmp_path / "a.png"
        path.write_bytes(b"a")
        window = Window(checked_upload(path, None, None))
        window.close()
        window.open()
        assert window.read(1) == b""

    @pytest.mark.parametrize("fails", [False, True])
    def test_makes_a_part_that_is_removed(self, fails):
        going, dropped = threading.Event(), []

        class Files(RunFiles):
            def __init__(self):
                pass

            def target(self, index):
                going.wait(5)
                if fails:
                    raise OSError("full")
                return index

            def place(self, index, target, result):
                raise AssertionError("nothing is placed")

            def drop(self, target):
                dropped.append(target)

        async def main():
            task = asyncio.create_task(_target(Files(), 7))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            going.set()

        asyncio.run(main())
        assert dropped == ([] if fails else [7])
