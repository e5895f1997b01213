"""The display of streams and watches: their run and its state."""

import asyncio
from types import SimpleNamespace

import httpx
import pytest

from comfydeploy import ComfyDeploy, ComfyDeployCore, Failure, Success
from comfydeploy._drivers import steps
from comfydeploy.funcs.run_stream import run_stream, run_stream_async
from comfydeploy.funcs.run_watch import run_watch, run_watch_async

EVENT = 'event: event_update\ndata: {"data": {"prompt_id": "r", "number": 1, "node_errors": {}}}\n\n'
FAILED = (
    'event: event_update\ndata: {"event": "execution_error", "data": {"prompt_id": "r", "node_id": "3", '
    '"node_type": "KSampler", "exception_type": "ValueError", "exception_message": "bad"}}\n\n'
)
REQUEST = {"deployment_id": "d"}


def serving(text, kind="text/event-stream"):
    return httpx.MockTransport(lambda _: httpx.Response(200, headers={"content-type": kind}, text=text))


def test_a_stream():
    with ComfyDeployCore(bearer="k", transport=serving(EVENT + FAILED)) as core:
        stream = run_stream(core, REQUEST).unwrap()
        assert repr(stream) == "EventStream(run_id=None, open)"
        assert stream._repr_mimebundle_()["text/plain"] == "EventStream  of a run that is not named yet  open"
        assert len(list(stream)) == 2
        assert repr(stream) == "EventStream(run_id='r', ended)"
        shown = stream._repr_mimebundle_()["text/plain"].splitlines()
        assert shown == ["EventStream  of run r  ended", "  KSampler (node 3): ValueError: bad"]


def test_a_raising_stream_is_shown_alike():
    with ComfyDeploy(bearer="k", transport=serving(EVENT)) as client, client.run.stream(REQUEST) as stream:
        assert next(stream)
        assert repr(stream) == "EventStream(run_id='r', open)"
        assert "of run r" in stream._repr_mimebundle_()["text/html"]


def test_async_streams():
    async def shown():
        async with ComfyDeploy(bearer="k", async_transport=serving(EVENT)) as client:
            async with await client.run.stream_async(REQUEST) as stream:
                bundle = stream._repr_mimebundle_()
            return repr(stream), bundle["text/plain"], repr((await run_stream_async(client, REQUEST)).unwrap())

    assert asyncio.run(shown()) == (
        "AsyncEventStream(run_id=None, ended)",
        "AsyncEventStream  of a run that is not named yet  open",
        "AsyncEventStream(run_id=None, open)",
    )


@pytest.mark.parametrize("colour", ["", "Async"])
def test_a_watch_that_has_not_begun(colour):
    with ComfyDeployCore(bearer="k") as core:
        watch = (run_watch_async if colour else run_watch)(core, "r")
        assert repr(watch) == f"{colour}RunWatch(run_id='r', status=None)"
        assert watch._repr_mimebundle_()["text/plain"] == f"{colour}RunWatch  of run r  open"


def test_a_watch_shows_its_run():
    answer = serving('{"id": "r", "status": "cancelled"}', "application/json")
    with ComfyDeployCore(bearer="k", transport=answer) as core:
        watch = run_watch(core, "r")
        assert isinstance(list(watch)[-1], Failure)
        assert repr(watch) == "RunWatch(run_id='r', status='cancelled')"
        assert watch._repr_mimebundle_()["text/plain"].splitlines() == [
            "Run  r  cancelled",
            "  The run was cancelled before its first node",
        ]


def test_a_watch_that_could_not_begin():
    with ComfyDeployCore(bearer="k") as core:
        watch = run_watch(core, "")
        assert not isinstance(list(watch)[-1], Success)
        assert "ended" in watch._repr_mimebundle_()["text/plain"]


@pytest.fixture
def no_pauses(monkeypatch):
    pause = asyncio.sleep
    monkeypatch.setattr(steps, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(asyncio, "sleep", lambda _: pause(0))


def test_a_raising_watch_is_shown_alike(no_pauses):
    left = [httpx.Response(503), httpx.Response(200, json={"id": "r", "status": "success"})]
    wire = httpx.MockTransport(lambda _: left.pop(0))
    with ComfyDeploy(bearer="k", transport=wire) as client, client.run.watch("r") as watch:
        assert (watch.run_id, watch.run) == ("r", None)
        assert [run.status for run in watch] == ["success"]
        assert watch.run is not None
        assert repr(watch) == "RunWatch(run_id='r', status='success')"
        assert watch._repr_mimebundle_()["text/plain"].startswith("Run  r  success")


def test_async_raising_watch_is_shown_alike(no_pauses):
    left = [httpx.Response(503), httpx.Response(200, json={"id": "r", "status": "success"})]
    wire = httpx.MockTransport(lambda _: left.pop(0))

    async def watched():
        async with ComfyDeploy(bearer="k", async_transport=wire) as client:
            async with client.run.watch_async("r") as watch:
                assert (watch.run_id, watch.run) == ("r", None)
                assert [run.status async for run in watch] == ["success"]
            assert watch.run is not None
            return repr(watch), watch._repr_mimebundle_()["text/plain"].splitlines()[0]

    assert asyncio.run(watched()) == ("AsyncRunWatch(run_id='r', status='success')", "Run  r  success")
