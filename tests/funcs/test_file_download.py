"""Downloads from storage: complete or not written, and without a secret of the caller."""

import asyncio
import gzip
import io
import os
import random
import zlib
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from comfydeploy import BackoffStrategy, ComfyDeployCore, RequestOptions, RetryConfig, errors, unwrap
from comfydeploy.funcs.file_download import file_download, file_download_async
from comfydeploy.models import MediaItem, OutputFile, WorkflowRunModel, WorkflowRunOutputModel

PICTURE = os.urandom(200_000)
AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0))


@pytest.fixture
def storage(raw, answer):
    return raw(answer(200, PICTURE, "image/png", set_cookie="a=b"))


@pytest.fixture
def download(calls):
    """Download with a new core: ``download(address, retry_config=...)``."""

    def call(file, options=None, *, core=None, **named):
        return calls("file_download", core or calls.core(), file, options, **named)

    return call


class TestTargets:
    def test_memory(self, download, storage):
        file = unwrap(download(f"{storage.url}/cat.png"))
        assert (file.content, file.size, file.content_type) == (PICTURE, len(PICTURE), "image/png")

    def test_path(self, download, storage, tmp_path):
        to = str(tmp_path / "cat.png")
        assert unwrap(download(storage.url, to=to)) == Path(to)
        assert Path(to).read_bytes() == PICTURE

    def test_open_file(self, download, storage):
        to = io.BytesIO()
        assert unwrap(download(storage.url, to=to)) is to
        assert to.getvalue() == PICTURE

    def test_that_goes_away(self, download, storage, tmp_path):
        path = tmp_path / "cat.png"
        error = download(storage.url, to=path, progress=lambda *_: path.mkdir(exist_ok=True)).failure()
        assert isinstance(error, errors.UnexpectedClientError)
        assert list(tmp_path.iterdir()) == [path]


class TestFiles:
    def test_of_run(self, download, storage):
        file = OutputFile(url=storage.url, filename="cat.png", kind="images")
        assert unwrap(download(file)).size == len(PICTURE)

    def test_of_output(self, download, storage):
        item = MediaItem(url=storage.url, type="output", filename="cat.png")
        assert unwrap(download(item)).size == len(PICTURE)

    @pytest.mark.parametrize(
        ("node_id", "meta", "expected"), [("3", {"node_id": "9"}, "3"), (None, {"node_id": 9}, "9"), (None, [9], None)]
    )
    def test_name_their_node(self, node_id, meta, expected):
        item = MediaItem(url="u", type="output", filename="cat.png")
        data = {"images": [item, "text"], "text": "a cat"}
        output = WorkflowRunOutputModel(id="o", run_id="r", data=data, node_id=node_id, node_meta=meta)
        (file,) = WorkflowRunModel(id="r", status="success", outputs=[output]).files
        assert (file.kind, file.node_id) == ("images", expected)

    @pytest.mark.parametrize("file", [None, 5, b"http://x/", Path("cat.png")])
    def test_that_are_none(self, download, file):
        assert isinstance(download(file).failure(), errors.SDKValidationError)

    @pytest.mark.parametrize(
        "address", ["", "cat.png", "ftp://x/cat.png", "http:///cat", "http://x/a b", "http://me:secret@x/", "http://[x"]
    )
    def test_with_wrong_address(self, download, address):
        error = download(address).failure()
        assert isinstance(error, errors.InvalidRequestError)
        assert "secret" not in str(error)

    def test_of_emulated_run(self, calls, emulator):
        core = calls.core(emulator.url, bearer=emulator.bearer)
        request = {"deployment_id": emulator.deployments["picture"]}
        run = unwrap(calls("run_queue_and_wait", core, request))
        (file,) = run.files
        assert (file.kind, file.filename, file.type) == ("images", "cd_00001_.png", "output")
        assert unwrap(calls("file_download", core, file)).content.startswith(b"\x89PNG")


class TestSecrets:
    OPTIONS = RequestOptions(headers={"x-secret": "1", "cookie": "a=b"})

    def test_stay_here(self, calls, download, storage):
        unwrap(download(storage.url, self.OPTIONS, core=calls.core(storage.url)))
        assert set(storage.requests[0][1]) == {"host", "accept", "accept-encoding", "user-agent"}
        assert storage.requests[0][1]["accept-encoding"] == "identity"

    @pytest.mark.parametrize("is_awaited", [True, False])
    def test_of_given_client_stay_here(self, storage, is_awaited):
        secrets = {"headers": {"x-secret": "1", "authorization": "x"}, "cookies": {"a": "b"}, "params": {"c": "d"}}
        secrets["auth"] = ("me", "secret")

        async def call():
            async with httpx.AsyncClient(**secrets) as http:
                core = ComfyDeployCore(bearer="k", async_http_client=http)
                unwrap(await file_download_async(core, f"{storage.url}/cat?sig=1", self.OPTIONS))

        if is_awaited:
            asyncio.run(call())
        else:
            with httpx.Client(**secrets) as http:
                unwrap(file_download(ComfyDeployCore(bearer="k", http_client=http), f"{storage.url}/cat?sig=1"))
        line, headers, _ = storage.requests[0]
        assert line == "GET /cat?sig=1 HTTP/1.1"
        assert set(headers) == {"host", "accept", "accept-encoding", "user-agent"}

    def test_stay_here_when_storage_redirects(self, calls, download, storage, raw, answer):
        first = raw(answer(302, location="/next"), answer(307, location=f"{storage.url}/cat.png"))
        unwrap(download(f"{first.url}/cat.png", core=calls.core(first.url)))
        assert [line for line, _, _ in first.requests] == ["GET /cat.png HTTP/1.1", "GET /next HTTP/1.1"]
        for _, headers, _ in first.requests + storage.requests:
            assert not {"authorization", "cookie", "referer"} & set(headers)


class TestRedirects:
    def test_without_end(self, download, raw, answer):
        server = raw(answer(302, location="/next"))
        error = download(server.url).failure()
        assert "more than 5 times" in error.message
        assert len(server.requests) == 6

    @pytest.mark.parametrize("location", ["ftp://x/", "http://[", "http://me:secret@x/"])
    def test_to_nowhere(self, download, raw, answer, location):
        error = download(raw(answer(302, location=location)).url).failure()
        assert isinstance(error, errors.SDKError)
        assert "invalid address" in error.message

    def test_without_location(self, download, raw, answer):
        server = raw(answer(302), answer(200, b"cat"))
        assert "invalid address" in download(server.url).failure().message
        assert len(server.requests) == 1

    def test_from_https_to_http(self, calls, download):
        answers = httpx.MockTransport(lambda _: httpx.Response(302, headers={"location": "http://x/cat.png"}))
        error = download("HTTPS://x/cat.png", core=calls.core(transport=answers, async_transport=answers)).failure()
        assert "from https to http" in error.message


class TestRefusals:
    def test_to_connect(self, download):
        error = download("http://127.0.0.1:1/cat.png").failure()
        assert isinstance(error, errors.ConnectionError)
        assert error.fate == "not_sent"

    @pytest.mark.parametrize("status", [400, 403, 404, 410])
    def test_hint_at_expired_address(self, download, raw, answer, status):
        error = download(raw(answer(status, b"<Error/>", "application/xml")).url).failure()
        assert isinstance(error, errors.SDKError)
        assert error.status_code == status
        assert "about an hour" in error.hint

    @pytest.mark.parametrize("status", [204, 206, 304, 422, 500])
    def test_of_other_kinds(self, download, raw, answer, status):
        error = download(raw(answer(status, b'{"detail": []}' if status != 204 else b"")).url).failure()
        assert isinstance(error, errors.SDKError)
        assert (error.status_code, error.hint) == (status, None)

    def test_are_retried(self, calls, download, raw, answer, tmp_path):
        server = raw(answer(503), answer(302, location="/next"), answer(503), answer(200, PICTURE, "image/png"))
        core = calls.core(retry_config=AT_ONCE)
        unwrap(download(server.url, core=core, to=tmp_path / "cat.png"))
        assert [line.split()[1] for line, _, _ in server.requests] == ["/", "/", "/next", "/"]

    def test_are_retried_after_a_pause(self, calls, download, raw, answer, monkeypatch):
        pauses = []

        async def sleep_async(seconds):
            pauses.append(seconds)

        monkeypatch.setattr("comfydeploy._drivers.storage.time", SimpleNamespace(sleep=pauses.append))
        monkeypatch.setattr(asyncio, "sleep", sleep_async)
        server = raw(answer(503), answer(200, PICTURE, "image/png"))
        slow = RetryConfig("backoff", BackoffStrategy(2.0, 60.0, 1.0, 60.0))
        unwrap(download(server.url, core=calls.core(retry_config=slow)))
        (pause,) = [seconds for seconds in pauses if seconds]  # others only let the event loop run
        assert 2 <= pause <= 3


class TestCuts:
    @pytest.fixture(params=["path", None])
    def to(self, request, tmp_path):
        return request.param and tmp_path / "cat.png"

    def test_are_retried(self, calls, download, raw, answer, to):
        whole = answer(200, PICTURE, "image/png")
        server = raw([whole[:-5], "close"], whole)
        file = unwrap(download(server.url, core=calls.core(retry_config=AT_ONCE), to=to))
        assert (to.read_bytes() if to else file.content) == PICTURE

    def test_into_open_file_are_final(self, calls, download, raw, answer):
        server = raw([answer(200, PICTURE * 10, "image/png")[:-5], "close"])  # more than one write
        error = download(server.url, core=calls.core(retry_config=AT_ONCE), to=io.BytesIO()).failure()
        assert isinstance(error, errors.ConnectionError)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
    def test_at_any_byte_leave_no_file(self, download, raw, answer, tmp_path, encoding):
        body = {"identity": PICTURE, "gzip": gzip.compress(PICTURE), "deflate": zlib.compress(PICTURE)}[encoding]
        whole = answer(200, body, "image/png", content_encoding=encoding)
        ends = [random.Random(encoding).randrange(len(whole)) for _ in range(20)]
        framed = [answer(200, body[:end], "image/png", content_encoding=encoding) for end in ends if end < len(body)]
        server = raw(*([whole[:end], "close"] for end in ends), *(framed if encoding != "identity" else []), whole)
        for _ in range(len(server._answers) - 1):
            assert isinstance(download(server.url, to=tmp_path / "cat.png").failure(), errors.ConnectionError)
            assert list(tmp_path.iterdir()) == []
        unwrap(download(server.url, to=tmp_path / "cat.png"))
        assert (tmp_path / "cat.png").read_bytes() == PICTURE


class TestLimits:
    @pytest.mark.parametrize("encoding", ["identity", "gzip"])
    def test_of_size(self, download, raw, answer, tmp_path, encoding):
        body = gzip.compress(PICTURE) if encoding == "gzip" else PICTURE
        server = raw(answer(200, body, "image/png", content_encoding=encoding))
        error = download(server.url, to=tmp_path / "cat.png", max_size=len(PICTURE) - 1).failure()
        assert isinstance(error, errors.SDKValidationError)
        assert (error.fate, list(tmp_path.iterdir())) == ("answered", [])
        unwrap(download(server.url, to=tmp_path / "cat.png", max_size=len(PICTURE)))

    @pytest.mark.parametrize("named", [{"max_size": -1}, {"max_size": "1"}, {"max_size": True}, {"progress": 5}])
    def test_that_are_none(self, download, named):
        assert isinstance(download("http://127.0.0.1:1/", **named).failure(), errors.SDKValidationError)

    def test_of_silence(self, download, raw, answer):
        server = raw([answer(200, PICTURE, "image/png")[:-5], "hang"])
        error = download(server.url, RequestOptions(idle_timeout=0.05)).failure()
        assert isinstance(error, errors.RequestTimeoutError)

    def test_of_deadline(self, download, raw, answer):
        server = raw([answer(200, PICTURE, "image/png")[:-5], "hang"])
        assert isinstance(download(server.url, RequestOptions(deadline=0.05)).failure(), errors.RequestTimeoutError)

    def test_of_deadline_end_retries(self, calls, download, raw, answer):
        server = raw(answer(503))
        slow = RetryConfig("backoff", BackoffStrategy(60.0, 60.0))
        error = download(server.url, RequestOptions(deadline=30), core=calls.core(retry_config=slow)).failure()
        assert error.status_code == 503

    def test_passed_before_it_was_sent(self, download, storage):
        error = download(storage.url, RequestOptions(deadline=1e-9)).failure()
        assert isinstance(error, errors.RequestTimeoutError)
        assert (error.fate, storage.requests) == ("not_sent", [])


def test_progress(download, storage):
    seen = []
    unwrap(download(storage.url, progress=lambda *how_far: seen.append(how_far)))
    assert seen[-1] == (len(PICTURE), len(PICTURE))
    assert seen == sorted(seen)


def test_progress_that_raises(download, storage, tmp_path):
    def fail(*_):
        raise LookupError("no bar")

    error = download(storage.url, to=tmp_path / "cat.png", progress=fail).failure()
    assert isinstance(error.__cause__, LookupError)
    assert list(tmp_path.iterdir()) == []


def test_full_memory_passes_through(download, storage):
    def fail(*_):
        raise MemoryError

    with pytest.raises(MemoryError):
        download(storage.url, progress=fail)
