"""Files from the server, for every target: complete, or not written."""

import asyncio
import gzip
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from comfydeploy import Failure, errors, unwrap

ORDER = {"deployment_id": "d"}
LARGE = os.urandom(3_000_000)


@pytest.fixture
def serve(calls, raw, answer):
    """Return a core whose server sends this body."""

    def make(body=LARGE, **headers):
        return calls.core(raw(answer(200, body, "image/png", **headers)).url)

    return make


class TestEncodings:
    def test_none_is_requested(self, calls, raw, answer):
        server = raw(answer(200, b"x", "image/png"))
        unwrap(calls("run_first_result", calls.core(server.url), ORDER))
        assert server.requests[0][1]["accept-encoding"] == "identity"

    def test_cut_one_leaves_no_file(self, calls, serve, tmp_path):
        core = serve(gzip.compress(LARGE)[:-10], content_encoding="gzip")
        error = calls("run_first_result", core, ORDER, to=tmp_path / "cat.png").failure()
        assert isinstance(error, errors.ConnectionError)
        assert error.fate == "answered"
        assert list(tmp_path.iterdir()) == []

    def test_whole_one_is_decompressed(self, calls, serve, tmp_path):
        core = serve(gzip.compress(LARGE), content_encoding="gzip")
        assert unwrap(calls("run_first_result", core, ORDER, to=tmp_path / "cat.png")).size == len(LARGE)
        assert (tmp_path / "cat.png").read_bytes() == LARGE
        assert unwrap(calls("run_first_result", core, ORDER)).content == LARGE

    def test_one_that_transport_decoded(self, calls):
        headers = {"content-type": "image/png", "content-encoding": "gzip"}
        handler = lambda _: httpx.Response(200, headers=headers, content=gzip.compress(LARGE))  # noqa: E731 - short
        core = calls.core(transport=httpx.MockTransport(handler), async_transport=httpx.MockTransport(handler))
        assert unwrap(calls("run_first_result", core, ORDER)).content == LARGE

    def test_transport_that_ignores_length(self, calls):
        headers = {"content-type": "image/png", "content-length": "5"}
        handler = lambda _: httpx.Response(200, headers=headers, stream=Pieces([b"cat"]))  # noqa: E731 - short
        core = calls.core(transport=httpx.MockTransport(handler), async_transport=httpx.MockTransport(handler))
        assert "3 of 5 bytes" in calls("run_first_result", core, ORDER).failure().message


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, pieces):
        self._pieces = pieces

    def __iter__(self):
        return iter(self._pieces)

    async def __aiter__(self):
        for piece in self._pieces:
            yield piece


class TestNamedFiles:
    @pytest.mark.parametrize("mode", [0o600, 0o644, 0o666])
    def test_keep_their_mode(self, calls, serve, tmp_path, mode):
        path = tmp_path / "cat.png"
        path.write_bytes(b"old")
        path.chmod(mode)
        unwrap(calls("run_first_result", serve(), ORDER, to=path))
        assert path.read_bytes() == LARGE
        assert path.stat().st_mode & 0o777 == mode

    def test_are_made_as_any_other(self, calls, serve, tmp_path):
        (tmp_path / "other").touch()
        unwrap(calls("run_first_result", serve(), ORDER, to=tmp_path / "cat.png"))
        assert (tmp_path / "cat.png").stat().st_mode == (tmp_path / "other").stat().st_mode

    def test_may_have_longest_name(self, calls, serve, tmp_path):
        path = tmp_path / ("x" * 251 + ".png")
        unwrap(calls("run_first_result", serve(), ORDER, to=path))
        assert path.read_bytes() == LARGE

    def test_on_device(self, calls, serve):
        assert unwrap(calls("run_first_result", serve(), ORDER, to=os.devnull)).size == len(LARGE)

    def test_on_full_device(self, calls, serve):
        error = calls("run_first_result", serve(), ORDER, to="/dev/full").failure()
        assert isinstance(error, errors.UnexpectedClientError)
        assert error.fate == "answered"


class TestPipes:
    @pytest.mark.parametrize("buffering", [0, 4096])
    def test_that_do_not_block(self, calls, serve, buffering):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with ThreadPoolExecutor(1) as pool, open(reading, "rb") as reader:  # noqa: PTH123 - a number
            read = pool.submit(reader.read)
            with open(writing, "wb", buffering=buffering) as writer:  # noqa: PTH123 - of a descriptor
                unwrap(calls("run_first_result", serve(), ORDER, to=writer))
                os.set_blocking(writing, True)  # for what is left in the buffer
            assert read.result(5) == LARGE

    def test_that_process_opens_late(self, calls, serve, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with ThreadPoolExecutor(1) as pool:
            read = pool.submit(pipe.read_bytes)
            unwrap(calls("run_first_result", serve(), ORDER, to=pipe))
            assert read.result(5) == LARGE

    def test_without_reader_can_be_left(self, calls, serve, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        if calls.awaited:
            self.left(calls, serve(), pipe)
        else:
            with pytest.raises(KeyboardInterrupt), interrupted():
                calls("run_first_result", serve(), ORDER, to=pipe)

    def test_whose_reader_is_gone_can_be_left(self, calls, serve):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with open(reading, "rb"), open(writing, "wb", buffering=0) as writer:  # noqa: PTH123 - of a descriptor
            if calls.awaited:
                self.left(calls, serve(), writer)
            else:
                with pytest.raises(KeyboardInterrupt), interrupted():
                    calls("run_first_result", serve(), ORDER, to=writer)

    def left(self, calls, core, to):
        from comfydeploy.funcs.run_first_result import run_first_result_async

        async def leave():
            async with asyncio.timeout(0.1):
                await run_first_result_async(core, ORDER, to=to)

        with pytest.raises(TimeoutError):
            calls.run(leave())


class interrupted:
    """Interrupt the main thread as Ctrl-C does."""

    def __enter__(self):
        import signal

        self._old = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.1)

    def __exit__(self, *_):
        import signal

        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._old)


class TestOpenFiles:
    def test_that_take_nothing(self, calls, serve):
        class Full(io.RawIOBase):
            def writable(self):
                return True

            def write(self, _):
                return None

        error = calls("run_first_result", serve(), ORDER, to=Full()).failure()
        assert "accepts no bytes" in error.message
        assert error.fate == "answered"

    def test_without_write_counts(self, calls, serve):
        taken = []

        class Mute:
            def write(self, data):
                taken.append(data)

        unwrap(calls("run_first_result", serve(), ORDER, to=Mute()))
        assert b"".join(taken) == LARGE

    def test_on_slow_storage_stall_no_event_loop(self, calls, serve):
        began, goes_on = threading.Event(), threading.Event()

        class Slow(io.BytesIO):
            def write(self, data):
                began.set()
                assert goes_on.wait(5)
                return super().write(data)

        def release():
            assert began.wait(5)
            goes_on.set()

        to = Slow()
        if not calls.awaited:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(release)
                unwrap(calls("run_first_result", serve(), ORDER, to=to))
        else:
            from comfydeploy.funcs.run_first_result import run_first_result_async

            async def both():
                waiting = asyncio.to_thread(release)
                return (await asyncio.gather(run_first_result_async(serve(), ORDER, to=to), waiting))[0]

            unwrap(calls.run(both()))
        assert to.getvalue() == LARGE

    def test_get_nothing_after_call_was_left(self, calls, serve):
        """The writing thread stops after its current write."""
        if not calls.awaited:
            pytest.skip("a blocking call has no other thread")
        from comfydeploy.funcs.run_first_result import run_first_result_async

        written, task = [], None

        class Cancelling:
            def write(self, data):
                written.append(data)
                loop.call_soon_threadsafe(cancel)
                done.wait(30)

        def cancel():
            task.cancel()
            loop.call_later(0.05, done.set)  # once the call has been left

        done = threading.Event()

        async def leave():
            nonlocal task, loop
            loop = asyncio.get_running_loop()
            core = serve(gzip.compress(bytes(5_000_000)), content_encoding="gzip")
            task = asyncio.ensure_future(run_first_result_async(core, ORDER, to=Cancelling()))
            with pytest.raises(asyncio.CancelledError):
                await task

        loop = None
        calls.run(leave())
        assert len(written) == 1


def test_failed_call_leaves_no_file(calls, raw, answer, tmp_path):
    core = calls.core(raw(answer(404, b"{}")).url)
    assert isinstance(calls("run_first_result", core, ORDER, to=tmp_path / "cat.png"), Failure)
    assert list(tmp_path.iterdir()) == []
