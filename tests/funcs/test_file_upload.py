"""Uploads of all kinds of files, and servers that refuse them."""

import asyncio
import gzip
import io
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.datastructures import UploadFile
from werkzeug.datastructures import FileStorage

from comfydeploy import BackoffStrategy, RetryConfig, errors, unwrap
from comfydeploy._wire import upload

UPLOADED = b'{"file_url": "http://x/cat.png"}'
LARGE = bytes(range(256)) * 10_000  # more than one read
AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0))


@pytest.fixture
def server(raw, answer):
    return raw(answer(200, UPLOADED))


@pytest.fixture
def sent(server):
    """Return the name, the media type and the bytes of each file that the server received."""

    def read():
        files = []
        for _, headers, body in server.requests:
            boundary = headers["content-type"].partition("boundary=")[2].encode()
            head, _, rest = body.partition(b"\r\n\r\n")
            name = head.partition(b'filename="')[2].partition(b'"\r\n')[0].decode()
            files.append(
                (name, head.partition(b"Content-Type: ")[2].decode(), rest.removesuffix(b"\r\n--%b--\r\n" % boundary))
            )
        return files

    return read


class TestAFileOfAFramework:
    @pytest.mark.parametrize("field", ["picture", "notes.txt"])
    def test_flask_has_its_file_name(self, calls, server, sent, field):
        file = FileStorage(io.BytesIO(b"PNG"), filename="cat.png", name=field)
        unwrap(calls("file_upload", calls.core(server.url), file))
        assert sent() == [("cat.png", "image/png", b"PNG")]

    def test_flask_without_name_needs_one(self, calls):
        file = FileStorage(io.BytesIO(b"PNG"), name="picture.png")
        assert "name: required" in calls("file_upload", calls.core(), file).failure().message

    def test_starlette(self, calls, server, sent):
        file = UploadFile(io.BytesIO(b"PNG"), filename="cat.png")
        unwrap(calls("file_upload", calls.core(server.url), file))
        assert sent() == [("cat.png", "image/png", b"PNG")]

    def test_starlette_on_disk(self, calls, server, sent):
        with tempfile.SpooledTemporaryFile() as spooled:
            spooled.write(LARGE)
            spooled.seek(7)
            unwrap(calls("file_upload", calls.core(server.url), UploadFile(spooled, filename="cat.png")))
        assert sent() == [("cat.png", "image/png", LARGE[7:])]

    def test_other_async_files_are_refused(self, calls):
        class AsyncFile:
            async def read(self, _=-1):
                raise NotImplementedError

        error = calls("file_upload", calls.core(), AsyncFile(), name="cat.png").failure()
        assert isinstance(error, errors.SDKValidationError)
        assert "async" in error.message


class TestAnOpenFile:
    @pytest.fixture(params=["in place", "by moving"])
    def reading(self, request, monkeypatch):
        if request.param == "by moving":  # as on Windows
            monkeypatch.setattr(upload, "_PREAD", None)

    @pytest.mark.parametrize("make", [tempfile.NamedTemporaryFile, tempfile.SpooledTemporaryFile])
    def test_in_text_mode_is_refused(self, calls, make):
        with make(mode="w+") as file:
            file.write("PNG")
            file.seek(0)
            error = calls("file_upload", calls.core(), file, name="cat.png").failure()
        assert isinstance(error, errors.SDKValidationError)
        assert "text mode" in error.message

    def test_whose_seek_returns_none(self, calls, server, sent):
        class Quiet(io.BytesIO):
            def seek(self, *where):
                super().seek(*where)

        unwrap(calls("file_upload", calls.core(server.url), Quiet(b"PNG"), name="cat.png"))
        assert sent() == [("cat.png", "image/png", b"PNG")]

    def test_with_writes_in_its_buffer(self, calls, server, sent, tmp_path):
        with (tmp_path / "cat.png").open("wb+") as file:
            file.write(b"PNG")
            file.seek(1)
            file.write(b"-")
            file.seek(0)
            file.write(b"p")
            unwrap(calls("file_upload", calls.core(server.url), file))
        assert sent() == [("cat.png", "image/png", b"-G")]

    def test_that_is_decompressed(self, calls, server, sent, tmp_path):
        (tmp_path / "cat.gz").write_bytes(gzip.compress(LARGE))
        with gzip.open(tmp_path / "cat.gz") as file:
            unwrap(calls("file_upload", calls.core(server.url), file, name="cat.png"))
        assert sent() == [("cat.png", "image/png", LARGE)]

    @pytest.mark.usefixtures("reading")
    def test_keeps_its_position(self, calls, server, sent, tmp_path):
        (tmp_path / "cat.png").write_bytes(LARGE)
        with (tmp_path / "cat.png").open("rb") as file:
            file.seek(5)
            for _ in range(2):
                unwrap(calls("file_upload", calls.core(server.url), file))
            assert file.tell() == 5
        assert sent() == [("cat.png", "image/png", LARGE[5:])] * 2

    @pytest.mark.parametrize("make", [io.BytesIO, "path"])
    def test_in_two_uploads_at_once(self, calls, server, sent, tmp_path, make):
        (tmp_path / "cat.png").write_bytes(LARGE)
        with (tmp_path / "cat.png").open("rb") if make == "path" else make(LARGE) as file:
            for result in uploaded_twice(calls, calls.core(server.url), file):
                unwrap(result)
        assert sent() == [("cat.png", "image/png", LARGE)] * 2

    def test_that_moves_in_two_uploads_at_once(self, calls, server, sent):
        with tempfile.NamedTemporaryFile() as file:
            file.write(LARGE)
            file.seek(0)
            first, second = uploaded_twice(calls, calls.core(server.url), file)
        unwrap(first)
        assert "another upload is reading it" in second.failure().message
        assert sent() == [("cat.png", "image/png", LARGE)]

    def test_of_forked_parent_can_be_read(self, calls, server, sent, monkeypatch):
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(b"PNG")
            file.seek(0)
            monkeypatch.setitem(upload._MOVING, id(file), (-1, object()))
            unwrap(calls("file_upload", calls.core(server.url), file, name="cat.png"))
        assert sent() == [("cat.png", "image/png", b"PNG")]

    def test_on_slow_storage_stalls_no_event_loop(self, calls, server, sent):
        began, goes_on = threading.Event(), threading.Event()

        class Slow(io.BytesIO):
            def read(self, size=-1):
                if size:
                    began.set()
                    assert goes_on.wait(5)
                return super().read(size)

        def release():
            assert began.wait(5)
            goes_on.set()

        async def released():
            await asyncio.to_thread(release)

        with ThreadPoolExecutor(1) as pool:
            if calls.awaited:

                async def both():
                    return (await asyncio.gather(upload_async(calls, server, Slow(b"PNG")), released()))[0]

                unwrap(calls.run(both()))
            else:
                pool.submit(release)
                unwrap(calls("file_upload", calls.core(server.url), Slow(b"PNG"), name="cat.png"))
        assert sent() == [("cat.png", "image/png", b"PNG")]


def upload_async(calls, server, file):
    from comfydeploy.funcs.file_upload import file_upload_async

    return file_upload_async(calls.core(server.url), file, name="cat.png")


def uploaded_twice(calls, core, file):
    """Upload a file, and again as soon as its first bytes were sent."""
    from comfydeploy.funcs.file_upload import file_upload, file_upload_async

    second = []

    def begin(*_):
        if not second:
            second.append(None)
            if calls.awaited:
                second[0] = asyncio.ensure_future(file_upload_async(core, file, name="cat.png"))
            else:
                second[0] = file_upload(core, file, name="cat.png")

    if not calls.awaited:
        first = file_upload(core, file, name="cat.png", progress=begin)
        return first, second[0]

    async def both():
        first = await file_upload_async(core, file, name="cat.png", progress=begin)
        return first, await second[0]

    return calls.run(both())


def test_cancelled_upload_closes_its_file(calls, raw, tmp_path):
    """A ResourceWarning would fail the test."""
    from comfydeploy.funcs.file_upload import file_upload_async

    path = tmp_path / "cat.png"
    path.write_bytes(LARGE)
    core = calls.core(raw(["hang"]).url)

    async def cancelled():
        task = asyncio.ensure_future(file_upload_async(core, path, progress=lambda *_: task.cancel()))
        with pytest.raises(asyncio.CancelledError):
            await task

    if calls.awaited:
        calls.run(cancelled())
    assert not upload._MOVING


class TestNames:
    def test_with_quotes_end_no_header(self, calls, server, sent):
        unwrap(calls("file_upload", calls.core(server.url), b"x", name='a "b"\r\n\\.png'))
        assert sent() == [("a %22b%22%0D%0A\\\\.png", "image/png", b"x")]

    def test_of_250_bytes(self, calls, server, sent):
        name = "ü" * 123 + ".png"
        unwrap(calls("file_upload", calls.core(server.url), b"x", name=name))
        assert sent() == [(name, "image/png", b"x")]


class TestAServerThatRefuses:
    def test_early_response_has_its_status(self, calls, refusing):
        server = refusing(is_abrupt=False)
        core = calls.core(server.url, retry_config=AT_ONCE)
        error = calls("file_upload", core, bytes(10_000_000), name="cat.png").failure()
        assert isinstance(error, errors.SDKError)
        assert error.status_code == 413
        assert server.count == 1

    def test_early_and_abruptly_gets_it_three_times(self, calls, refusing):
        """Where the connection is reset, the response may be lost."""
        server = refusing(is_abrupt=True)
        core = calls.core(server.url, retry_config=AT_ONCE)
        error = calls("file_upload", core, bytes(10_000_000), name="cat.png").failure()
        assert isinstance(error, errors.SDKError | errors.ConnectionError)
        assert server.count <= 3

    def test_by_reset_gets_file_three_times(self, calls, raw):
        server = raw(["reset"])
        core = calls.core(server.url, retry_config=AT_ONCE)
        error = calls("file_upload", core, b"x", name="cat.png").failure()
        assert isinstance(error, errors.ConnectionError)
        assert len(server.requests) == 3


@pytest.fixture
def refusing():
    servers = []

    def make(*, is_abrupt):
        servers.append(RefusingServer(is_abrupt=is_abrupt))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


class RefusingServer:
    """Answers 413 after the head and closes, as proxies do."""

    def __init__(self, *, is_abrupt):
        self.count = 0
        self._is_abrupt = is_abrupt
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.count += 1
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 413 X\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
                if not self._is_abrupt:
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1 << 20):
                        pass

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)
