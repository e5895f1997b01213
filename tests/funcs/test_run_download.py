"""All files of a run in a folder: names are safe, and other files are not changed."""

import asyncio
import json
import os
import pickle

import httpx
import pytest

from comfydeploy import errors, unwrap
from comfydeploy.models import MediaItem, WorkflowRunModel, WorkflowRunOutputModel
from comfydeploy.outcome import DownloadIncomplete


class Service:
    """Has a run of three files, and answers each address with a set response."""

    def __init__(self):
        self.requests = []
        self.answers = {}
        self.generation = "old"
        self.transport = httpx.MockTransport(self._handle)

    @property
    def run(self):
        items = [
            MediaItem(url=f"http://storage/{self.generation}/{n}", type="output", filename=f"../cat_{n}.png")
            for n in range(3)
        ]
        output = WorkflowRunOutputModel(id="o", run_id="r", data={"images": items}, node_meta={"node_id": 9})
        return WorkflowRunModel(id="r", status="success", outputs=[output])

    def _handle(self, request):
        self.requests.append(request)
        path = request.url.path
        if request.url.host == "storage":
            answer = self.answers.get(path, path.encode())
            if isinstance(answer, BaseException):
                raise answer
            return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, content=answer)
        status = self.answers.get("run", 200)
        self.generation = "new"
        items = [{"url": file.url, "type": "output", "filename": file.filename} for file in self.run.files]
        outputs = [{"id": "o", "run_id": "r", "data": {"images": items}}]
        return httpx.Response(
            status,
            content=json.dumps({"id": "r", "status": "success", "outputs": outputs}),
            headers={"content-type": "application/json"},
        )


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def save(calls, service, tmp_path):
    core = calls.core(transport=service.transport, async_transport=service.transport)

    def call(run=None, **named):
        return calls("run_download", core, run or service.run, **({"to": tmp_path / "files"} | named))

    return call


def test_files_of_run(save, tmp_path):
    paths = unwrap(save())
    assert paths == [tmp_path / "files" / f"r-{n}.png" for n in range(3)]
    assert [path.read_bytes() for path in paths] == [f"/old/{n}".encode() for n in range(3)]
    assert len(list((tmp_path / "files").iterdir())) == 3


def test_of_its_id(save):
    assert [path.read_bytes() for path in unwrap(save("r"))] == [f"/new/{n}".encode() for n in range(3)]


def test_of_unknown_id(save, service):
    service.answers["run"] = 404
    assert save("r").failure().status_code == 404


def test_of_run_without_files(save, tmp_path):
    assert unwrap(save(WorkflowRunModel(id="r", status="failed"))) == []


def test_are_never_written_over_others(save, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "cat.png").write_bytes(b"mine")
    names = {path.name for path in unwrap(save(name="cat.png"))}
    assert names == {"cat-2.png", "cat-3.png", "cat-4.png"}
    assert (tmp_path / "files" / "cat.png").read_bytes() == b"mine"


def test_without_links(save, tmp_path, monkeypatch):
    def fail(*_):
        raise PermissionError

    monkeypatch.setattr(os, "link", fail)
    names = {path.name for path in unwrap(save(name="cat.png", at_once=1))}
    assert names == {"cat.png", "cat-2.png", "cat-3.png"}


def test_where_nothing_can_be_put(save, monkeypatch):
    def fail(*_):
        raise PermissionError("no")

    monkeypatch.setattr("comfydeploy._drivers.run_files._linked", fail)
    assert len(save().failure().missing) == 3


class TestAnExpiredAddress:
    def test_is_renewed(self, save, service):
        service.answers["/old/1"] = 403
        assert [path.read_bytes() for path in unwrap(save())] == [b"/old/0", b"/new/1", b"/old/2"]

    def test_lasting_failure_is_reported(self, save, service, tmp_path):
        service.answers |= {"/old/1": 403, "/new/1": 403}
        error = save().failure()
        assert isinstance(error, DownloadIncomplete)
        assert [path.name for path in error.saved] == ["r-0.png", "r-2.png"]
        ((file, reason),) = error.missing
        assert (file.filename, reason.status_code, error.run_id) == ("../cat_1.png", 403, "r")
        assert "1 of 3 files" in str(error)
        assert pickle.loads(pickle.dumps(error)).saved == error.saved
        assert len(list((tmp_path / "files").iterdir())) == 2

    def test_of_run_that_cannot_be_read(self, save, service):
        service.answers |= {"/old/1": 403, "run": 500}
        assert len(save().failure().missing) == 1

    def test_of_run_that_has_changed(self, save, service):
        service.answers["/old/1"] = 403
        other = WorkflowRunModel(id="r", status="success", outputs=service.run.outputs * 2)
        assert len(save(other).failure().missing) == 1


def test_other_errors_are_final(save, service):
    service.answers["/old/1"] = 500
    error = save().failure()
    assert len(error.missing) == 1
    assert not [request for request in service.requests if request.url.host != "storage"]


@pytest.mark.parametrize(
    "named", [{"at_once": 0}, {"at_once": "4"}, {"name": "{x}"}, {"name": None}, {"to": None}, {"to": "/dev/null/x"}]
)
def test_wrong_arguments(save, service, named):
    error = save(**named).failure()
    assert isinstance(error, errors.SDKValidationError)
    assert next(iter(named)) in error.message
    assert service.requests == []


def test_full_memory_passes_through(save, service):
    service.answers["/old/1"] = MemoryError()
    with pytest.raises(MemoryError):
        save()


def test_exception_is_a_failure(save, monkeypatch):
    def fail(*_):
        raise LookupError

    monkeypatch.setattr("comfydeploy._drivers.run_files._Folder.place", fail)
    assert isinstance(save().failure(), errors.UnexpectedClientError)


def test_cancelled_call_leaves_no_half_file(calls, service, tmp_path, monkeypatch):
    from comfydeploy.funcs.run_download import run_download_async

    if not calls.awaited:
        pytest.skip("a blocking call is not cancelled")
    core = calls.core(async_transport=service.transport)

    async def leave():
        task = asyncio.ensure_future(run_download_async(core, service.run, to=tmp_path))
        monkeypatch.setattr(
            "comfydeploy._drivers.run_files._Folder.place", lambda *_: loop.call_soon_threadsafe(task.cancel)
        )
        loop = asyncio.get_running_loop()
        with pytest.raises(asyncio.CancelledError):
            await task

    calls.run(leave())
    assert list(tmp_path.iterdir()) == []
