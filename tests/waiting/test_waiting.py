"""Waits and watches through the whole client: callbacks, interrupts, settings and readers."""

import asyncio
import threading
from functools import partial

import pytest
from simulated_time import simulated

from comfydeploy import ComfyDeploy, Failure, RequestOptions, Success
from comfydeploy.emulator import Emulator, Fails, Succeeds
from comfydeploy.errors import ConnectionError, InvalidRequestError, SDKError, SDKValidationError, UnexpectedClientError
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait_async
from comfydeploy.funcs.run_wait import run_wait_async
from comfydeploy.funcs.run_watch import run_watch, run_watch_async
from comfydeploy.hooks import Hooks
from comfydeploy.outcome import DeadlineExceeded, PollFailed, RunFailed

ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def emulator():
    with Emulator(clock="manual", port=None) as made, simulated(made):
        yield made


@pytest.fixture
def core(calls, emulator):
    transports = {"transport": emulator.transport, "async_transport": emulator.async_transport}
    return calls.core(emulator.url, bearer=emulator.bearer, **transports)


@pytest.fixture
def order(emulator):
    return {"deployment_id": emulator.deployments["picture"]}


@pytest.fixture
def wait(calls, core, order):
    """Queue a run and wait for it."""
    return partial(calls, "run_queue_and_wait", core, order)


def watch_of(calls, core, run_id, options=None):
    return (run_watch_async if calls.awaited else run_watch)(core, run_id, options)


def next_of(calls, watch):
    return calls.run(anext(watch)) if calls.awaited else next(watch)


class TestCallbacks:
    def test_are_called_in_order(self, calls, core, order):
        seen = []
        result = calls(
            "run_queue_and_wait",
            core,
            order,
            on_queued=seen.append,
            on_update=lambda run: seen.append((run.id, run.status)),
        )
        run_id, *updates = seen
        assert {one for one, _ in updates} == {run_id}
        # The end is the result, not an update.
        statuses = [status for _, status in updates]
        assert statuses[0] == "not-started"
        assert "running" in statuses
        assert "success" not in statuses
        assert result.unwrap().id == run_id

    @pytest.mark.parametrize("name", ["on_queued", "on_update"])
    @pytest.mark.parametrize(("on_abandon", "status"), [("leave", "not-started"), ("cancel", "cancelled")])
    def test_that_raise_end_wait(self, wait, emulator, name, on_abandon, status):
        raised = ValueError("of the callback")

        def callback(_):
            raise raised

        error = wait(**{name: callback, "on_abandon": on_abandon}).failure()
        assert isinstance(error, UnexpectedClientError)
        assert error.message == "ValueError: of the callback"
        assert error.__cause__ is raised
        (run,) = emulator.runs
        assert (error.run_id, error.fate, run.status) == (run.id, "answered", status)

    @pytest.mark.parametrize("name", ["on_queued", "on_update"])
    def test_out_of_memory_passes(self, calls, core, order, name):
        def callback(_):
            raise MemoryError

        with pytest.raises(MemoryError):
            calls("run_queue_and_wait", core, order, **{name: callback})


class TestSettings:
    @pytest.mark.parametrize(
        ("named", "message"),
        [
            ({"on_abandon": "stop"}, "on_abandon: expected 'leave' or 'cancel', got 'stop'"),
            ({"on_update": 5}, "on_update: expected a function, got int"),
        ],
    )
    def test_that_are_wrong_send_nothing(self, calls, core, wait, named, message):
        for error in (wait(**named).failure(), calls("run_wait", core, ID, **named).failure()):
            assert isinstance(error, SDKValidationError)
            assert error.message == message

    def test_that_are_wrong_are_one_item_of_watch(self, calls, core, emulator):
        watch = watch_of(calls, core, ID, 5)
        (item,) = calls.items(watch)
        assert item is watch.result
        assert item.failure().message == "options: expected a RequestOptions, got int 5"
        assert emulator.requests == ()

    @pytest.mark.parametrize("fields", [{"batch_number": 2}, {"is_native_run": True}, {"execution_mode": "sync"}])
    def test_requests_without_one_run_to_wait_for(self, calls, core, order, emulator, fields):
        assert isinstance(calls("run_queue_and_wait", core, order | fields).failure(), SDKValidationError)
        assert emulator.requests == ()

    def test_retries_are_for_creating_request(self, calls, core, order, emulator):
        emulator.fail("run_get", status=429, retry_after=7, times=2)
        options = RequestOptions(retry_codes=[404], timeout=60, idle_timeout=60)
        assert isinstance(calls("run_queue_and_wait", core, order, options), Success)


class TestErrors:
    def test_unknown_run(self, calls, core, emulator):
        error = calls("run_wait", core, ID).failure()
        assert isinstance(error, SDKError)
        assert (error.status_code, error.run_id, error.fate) == (404, ID, "answered")
        assert len(emulator.requests) == 1

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_run_that_may_not_be_read(self, calls, core, order, emulator, status):
        emulator.fail("run_get", status=status, after=1)
        error = calls("run_queue_and_wait", core, order).failure()
        assert (error.status_code, error.run_id) == (status, emulator.runs[0].id)

    def test_run_that_cannot_be_queued(self, calls, core, order, emulator):
        emulator.fail("run_queue", reset=True, execute=True)
        error = calls("run_queue_and_wait", core, order).failure()
        assert isinstance(error, ConnectionError)
        assert (error.run_id, error.fate) == (None, "unknown")

    def test_answer_that_is_no_run(self, calls, core, order, emulator):
        emulator.fail("run_get", body=[], times=1)
        error = calls("run_queue_and_wait", core, order).failure()
        assert isinstance(error, SDKValidationError)
        assert (error.run_id, error.fate) == (emulator.runs[0].id, "answered")

    def test_missing_key(self, calls, monkeypatch):
        monkeypatch.delenv("COMFYDEPLOY_API_KEY", raising=False)
        error = calls("run_wait", calls.core(bearer=None), ID).failure()
        assert isinstance(error, InvalidRequestError)

    def test_cause_is_kept(self, calls):
        def bearer():
            raise ValueError("of the vault")

        error = calls("run_wait", calls.core(bearer=bearer), ID).failure()
        assert isinstance(error, UnexpectedClientError)
        assert error.run_id == ID
        assert isinstance(error.__cause__, ValueError)


class TestCancellation:
    def test_twice_still_cancels_run(self, calls, core, order, emulator):
        if not calls.awaited:
            pytest.skip("a task is cancelled")
        emulator.fail("run_get", hang=True, after=1, times=1)
        emulator.fail("run_cancel", delay=1)

        async def wait():
            # A manual clock stands still, so that the cancel hangs until the second cancellation.
            task = asyncio.create_task(run_queue_and_wait_async(core, order, on_abandon="cancel"))
            while [one.operation for one in emulator.requests].count("run_get") < 2:
                await asyncio.sleep(0)
            task.cancel()
            while not [one for one in emulator.requests if one.operation == "run_cancel"]:
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            assert not task.done()
            await emulator.advance_async(2)
            with pytest.raises(asyncio.CancelledError):
                await task

        calls.run(wait())
        assert emulator.runs[0].status == "cancelled"
        assert [one.operation for one in emulator.requests][-2:] == ["run_cancel", "run_get"]

    def test_closed_coroutine_sends_nothing(self, calls, core, order, emulator):
        if not calls.awaited:
            pytest.skip("a coroutine is closed")
        emulator.fail("run_get", hang=True)

        async def wait():
            run_id = (await calls_queue(core, order)).unwrap().run_id
            waiting_ = run_wait_async(core, run_id, on_abandon="cancel")
            waiting_.send(None)
            waiting_.close()  # as the garbage collector does; it raises RuntimeError if the coroutine awaits

        calls.run(wait())
        assert "run_cancel" not in [one.operation for one in emulator.requests]


async def calls_queue(core, order):
    from comfydeploy.funcs.run_queue import run_queue_async

    return await run_queue_async(core, order)


class TestWatch:
    @pytest.fixture
    def run_id(self, calls, core, order, emulator):
        emulator.script("picture", Succeeds(seconds=4))
        return calls("run_queue", core, order).unwrap().run_id

    def test_yields_changes_and_end(self, calls, core, run_id):
        watch = watch_of(calls, core, run_id)
        assert (watch.run_id, watch.run, watch.result) == (run_id, None, None)
        items = calls.items(watch)
        assert items[-1] is watch.result
        assert [item.unwrap().status for item in items][-1] == "success"
        assert watch.run is items[-1].unwrap()
        shown = [(item.unwrap().status, item.unwrap().progress, item.unwrap().live_status) for item in items[:-1]]
        assert all(one != other for one, other in zip(shown, shown[1:], strict=False))

    def test_failed_polls_are_items(self, calls, core, run_id, emulator):
        emulator.fail("run_get", status=502, times=2)
        items = calls.items(watch_of(calls, core, run_id))
        failures = [item.failure() for item in items if isinstance(item, Failure)]
        assert [type(one) for one in failures] == [PollFailed, PollFailed]
        assert {(one.error.status_code, one.run_id, one.fate) for one in failures} == {(502, run_id, "answered")}

    def test_ends_at_deadline(self, calls, core, run_id):
        items = calls.items(watch_of(calls, core, run_id, RequestOptions(deadline=1)))
        assert isinstance(items[-1].failure(), DeadlineExceeded)

    def test_is_over_after_block(self, calls, core, run_id, emulator):
        watch = watch_of(calls, core, run_id)

        async def leave():
            async with watch:
                await anext(watch)

        if calls.awaited:
            calls.run(leave())
        else:
            with watch:
                next(watch)
        assert calls.items(watch) == []
        assert watch.result is None
        assert emulator.runs[0].status == "not-started"

    def test_second_reader_gets_error(self, calls, core, run_id, emulator):
        watch = watch_of(calls, core, run_id)
        emulator.fail("run_get", delay=1, times=1)  # the clock stands still
        found = []

        def is_reading():
            return any(one.operation == "run_get" for one in emulator.requests)

        async def read_twice():
            first = asyncio.create_task(anext(watch))
            while not is_reading():
                await asyncio.sleep(0)
            found.append(await anext(watch))
            await emulator.advance_async(1)
            found.append(await first)

        if calls.awaited:
            calls.run(read_twice())
        else:
            first = threading.Thread(target=lambda: found.append(next(watch)))
            first.start()
            pause = threading.Event()
            while not is_reading():
                pause.wait(0.002)
            found.append(next(watch))
            emulator.advance(1)
            first.join(5)
        refused, item = found
        assert refused.failure().message.startswith("The run is being watched already")
        assert refused.failure().run_id == run_id
        assert item.unwrap().id == run_id

    def test_interrupted_read_goes_on(self, calls, emulator, run_id):
        stops = [None, KeyboardInterrupt]

        def interrupt(_context, _request):
            if stops and (stop := stops.pop(0)):
                raise stop

        core = calls.core(
            emulator.url,
            bearer=emulator.bearer,
            transport=emulator.transport,
            async_transport=emulator.async_transport,
            hooks=[Hooks(before_request=interrupt)],
        )
        watch = watch_of(calls, core, run_id)
        assert next_of(calls, watch).unwrap().status == "not-started"
        with pytest.raises(KeyboardInterrupt):
            next_of(calls, watch)
        assert calls.items(watch)[-1].unwrap().status == "success"


class TestFacade:
    @pytest.fixture
    def client(self, emulator, calls):
        transports = {"transport": emulator.transport, "async_transport": emulator.async_transport}
        made = ComfyDeploy(bearer=emulator.bearer, server_url=emulator.url, **transports)
        yield made
        calls.close_core(made)

    def test_returns_runs_that_have_succeeded(self, client, calls, order):
        run = called(calls, client.run, "queue_and_wait", order)
        assert run.is_success
        assert called(calls, client.run, "wait", run.id).id == run.id

    def test_raises_other_ends(self, client, calls, order, emulator):
        emulator.script("picture", Fails("no luck"), times=2)
        with pytest.raises(RunFailed, match="no luck") as caught:
            called(calls, client.run, "queue_and_wait", order)
        with pytest.raises(RunFailed, match="no luck"):
            called(calls, client.run, "wait", caught.value.run_id)

    def test_watches(self, client, calls, order, emulator):
        run_id = called(calls, client.run, "queue", order).run_id
        emulator.fail("run_get", status=502, times=2)  # a poll that is repeated is not raised
        runs = calls.items(getattr(client.run, "watch_async" if calls.awaited else "watch")(run_id))
        assert [run.status for run in runs][-1] == "success"
        with pytest.raises(SDKError):
            calls.items(getattr(client.run, "watch_async" if calls.awaited else "watch")(ID))

    def test_lists_runs_of_workflow(self, client, calls, order):
        run = called(calls, client.run, "queue_and_wait", order)
        pages = getattr(client.workflow, "runs_async" if calls.awaited else "runs")(run.workflow_id)
        (page,) = calls.items(pages)
        assert [row.id for row in page] == [run.id]

    def test_streams_say_why_run_failed(self, client, calls, order, emulator):
        emulator.script("picture", Fails("no luck", seconds=0))
        stream = called(calls, client.run, "stream", order)
        assert stream.failure is None
        emulator.advance(60)
        calls.items(stream)
        assert stream.failure.kind == "node"
        assert stream.failure.run_id == stream.run_id == emulator.runs[0].id


def called(calls, group, name, *arguments):
    if calls.awaited:
        return calls.run(getattr(group, f"{name}_async")(*arguments))
    return getattr(group, name)(*arguments)
