"""A span covers the life of a run, with each poll as an event, and metrics count runs by outcome."""

import asyncio
import logging

import pytest
from observation import BROKEN, BUSY, FAILED, QUEUED, RUNNING, SUCCESS, Service, parent_of, run
from opentelemetry.trace import SpanKind, StatusCode

from comfydeploy import BackoffStrategy, Failure, RequestOptions, RetryConfig, Success
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait, run_queue_and_wait_async
from comfydeploy.funcs.run_wait import run_wait_async
from comfydeploy.funcs.run_watch import run_watch, run_watch_async

RETRIED = RequestOptions(retries=RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0)))
ORDER = {"deployment_id": "d", "inputs": {"prompt": "a lighthouse"}}
ROWS = (200, [])

pytestmark = pytest.mark.usefixtures("no_time")


@pytest.fixture
def server(calls):
    def serve(*answers, **settings):
        return calls.core("https://user.invalid/api", transport=Service(*answers), **settings)

    return serve


def watch_of(calls, core):
    return (run_watch_async if calls.awaited else run_watch)(core, "r")


class TestSpan:
    def test_of_two_attempts_and_a_failed_poll(self, calls, server, observed):
        core = server(BUSY, QUEUED, BROKEN, RUNNING, SUCCESS)
        assert isinstance(calls("run_queue_and_wait", core, ORDER, RETRIED), Success)
        (life,) = observed.named("comfydeploy.run")
        assert life.kind is SpanKind.INTERNAL
        assert dict(life.attributes) == {
            "comfydeploy.run.id": "r",
            "comfydeploy.run.outcome": "success",
            "comfydeploy.workflow.id": "w",
            "comfydeploy.run.gpu": "A10G",
            "comfydeploy.run.time_to_start": 2.0,
            "comfydeploy.run.time_to_end": 7.5,
            "comfydeploy.run.polls": 3,
            "comfydeploy.run.failed_polls": 1,
        }
        assert [(event.name, dict(event.attributes)) for event in life.events] == [
            (
                "poll",
                {"error.type": "SDKError", "http.response.status_code": 500, "comfydeploy.fate": "answered"},
            ),
            ("poll", {"comfydeploy.run.status": "running", "comfydeploy.run.progress": 0.5}),
            ("poll", {"comfydeploy.run.status": "success", "comfydeploy.run.progress": 1.0}),
        ]
        *requests, last = observed.spans
        assert last is life
        assert [span.name for span in requests] == ["POST /api/run/queue"] + ["GET /api/run/{run_id}"] * 3
        assert [span.attributes.get("http.request.resend_count", 0) for span in requests] == [1, 0, 0, 0]
        assert {parent_of(span, observed.spans) for span in requests} == {life}
        assert life.status.status_code is StatusCode.UNSET

    def test_of_a_failed_run_has_its_reason(self, calls, server, observed):
        row = {
            "exception_type": "ValueError",
            "exception_message": "no such lighthouse",
            "node_id": "5",
            "node_type": "KSampler",
        }
        rows = [{"id": "r", "status": "failed", "outputs": [{"id": "o", "run_id": "r", "data": row}]}]
        core = server(FAILED, (200, rows))
        error = calls("run_wait", core, "r").failure()
        assert "no such lighthouse" in str(error)
        (life,) = observed.named("comfydeploy.run")
        assert life.status.status_code is StatusCode.ERROR
        found = dict(life.attributes)
        assert found["comfydeploy.run.outcome"] == "failed"
        assert found["error.type"] == "RunFailed"
        assert found["comfydeploy.failure.kind"] == "node"
        assert found["comfydeploy.failure.source"] == "row"
        assert found["comfydeploy.node.id"] == "5"
        assert found["comfydeploy.node.type"] == "KSampler"
        assert found["comfydeploy.exception.type"] == "ValueError"
        assert "lighthouse" not in observed.text

    @pytest.mark.parametrize(
        ("answers", "outcome"),
        [
            ([QUEUED, run("cancelled")], "cancelled"),
            ([QUEUED, run("timeout"), ROWS], "timeout"),
            ([QUEUED, RUNNING], "deadline"),
            ([QUEUED, (404, {"detail": "Run not found"})], "unknown"),
            ([(404, {"detail": "Deployment not found"})], "not_created"),
            ([(200, {})], "not_created"),
        ],
    )
    def test_has_the_outcome(self, calls, server, observed, answers, outcome):
        options = RequestOptions(deadline=30)
        assert isinstance(calls("run_queue_and_wait", server(*answers), ORDER, options), Failure)
        (life,) = observed.named("comfydeploy.run")
        assert life.attributes["comfydeploy.run.outcome"] == outcome
        assert life.status.status_code is StatusCode.ERROR
        assert observed.points["comfydeploy.runs"] == [({"comfydeploy.run.outcome": outcome}, 1)]

    def test_of_wrong_settings_sends_nothing(self, calls, server, observed):
        assert isinstance(calls("run_wait", server(SUCCESS), "r", on_abandon="stop"), Failure)
        (life,) = observed.spans
        assert life.attributes["comfydeploy.run.outcome"] == "unknown"

    def test_of_a_callback_that_raises(self, calls, server, observed):
        def callback(_):
            raise ValueError

        assert isinstance(calls("run_wait", server(RUNNING), "r", on_update=callback), Failure)
        (life,) = observed.named("comfydeploy.run")
        assert life.attributes["comfydeploy.run.outcome"] == "left"

    def test_of_a_key(self, calls, server, observed):
        rows = (200, [])
        core = server((200, {"id": "d", "workflow_id": "w"}), rows, QUEUED)
        result = calls("run_queue_once", core, ORDER, "cats-1", settle=0)
        assert result.unwrap().run_id == "r"
        span = observed.spans[-1]
        assert (span.name, span.attributes["comfydeploy.run.id"]) == ("comfydeploy.run_queue_once", "r")
        assert {parent_of(one, observed.spans) for one in observed.spans[:-1]} == {span}

    def test_of_a_key_that_fails(self, calls, server, observed):
        result = calls("run_queue_once", server((404, {"detail": "no"})), ORDER, "cats-1", settle=0)
        assert isinstance(result, Failure)
        assert observed.spans[-1].attributes["error.type"] == "SDKError"


class TestWatch:
    def test_read_to_its_end(self, calls, server, observed):
        items = calls.items(watch_of(calls, server(BROKEN, RUNNING, SUCCESS)))
        assert len(items) == 3
        (life,) = observed.named("comfydeploy.run")
        assert life.attributes["comfydeploy.run.outcome"] == "success"
        assert [event.name for event in life.events] == ["poll"] * 3
        assert {parent_of(span, observed.spans) for span in observed.spans[:-1]} == {life}

    def test_that_is_closed(self, calls, server, observed):
        watch = watch_of(calls, server(RUNNING))
        calls.items(watch, 1)
        calls.close_stream(watch)
        calls.close_stream(watch)
        (life,) = observed.named("comfydeploy.run")
        assert life.attributes["comfydeploy.run.outcome"] == "left"
        assert life.status.status_code is StatusCode.UNSET

    def test_that_a_loop_leaves(self, calls, server, observed):
        calls.items(watch_of(calls, server(RUNNING)), 1)
        (life,) = observed.named("comfydeploy.run")
        assert life.attributes["comfydeploy.run.outcome"] == "left"


class TestInterrupts:
    @pytest.mark.parametrize(("on_abandon", "outcome"), [("leave", "left"), ("cancel", "cancelled")])
    def test_ctrl_c(self, server, observed, monkeypatch, on_abandon, outcome):
        def interrupted(_):
            raise KeyboardInterrupt

        core = server(QUEUED, RUNNING, (200, {"status": "success"}), run("cancelled"))
        with pytest.raises(KeyboardInterrupt):
            run_queue_and_wait(core, ORDER, on_update=interrupted, on_abandon=on_abandon)
        (life,) = observed.named("comfydeploy.run")
        assert life.attributes["comfydeploy.run.outcome"] == outcome

    def test_ctrl_c_while_it_is_queued(self, calls, observed):
        def interrupted():
            raise KeyboardInterrupt

        core = calls.core(bearer=interrupted)
        for name in ("run_queue_and_wait", "run_queue_once"):
            arguments = (ORDER,) if name == "run_queue_and_wait" else (ORDER, "cats-1")
            with pytest.raises(KeyboardInterrupt):
                calls(name, core, *arguments)
        assert [span.name for span in observed.spans if span.kind is SpanKind.INTERNAL] == [
            "comfydeploy.run",
            "comfydeploy.run_queue_once",
        ]

    @pytest.mark.parametrize(("on_abandon", "outcome"), [("leave", "left"), ("cancel", "cancelled")])
    def test_cancelled_task(self, server, observed, on_abandon, outcome):
        async def cancelled():
            def cancel(_):
                asyncio.current_task().cancel()

            core = server(QUEUED, RUNNING, (200, {"status": "success"}), run("cancelled"))
            await run_queue_and_wait_async(core, ORDER, on_update=cancel, on_abandon=on_abandon)

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(cancelled())
        (life,) = observed.named("comfydeploy.run")
        assert life.attributes["comfydeploy.run.outcome"] == outcome

    def test_closed_coroutine(self, server, observed):
        core = server(RUNNING, bearer=asyncio.Event().wait)

        async def begun():
            waiting = run_wait_async(core, "r")
            waiting.send(None)
            return waiting

        asyncio.run(begun()).close()  # in another context
        (life,) = observed.named("comfydeploy.run")
        assert life.attributes["comfydeploy.run.outcome"] == "left"


class TestMetrics:
    def test_of_runs(self, calls, server, observed):
        calls("run_wait", server(SUCCESS), "r")
        calls("run_wait", server(SUCCESS), "r")
        calls("run_wait", server(FAILED, ROWS), "r")
        success, failed = {"comfydeploy.run.outcome": "success"}, {"comfydeploy.run.outcome": "failed"}
        assert observed.points == {
            "comfydeploy.runs": [(success, 2), (failed, 1)],
            "comfydeploy.run.time_to_start": [(success, 4.0), (failed, 2.0)],
            "comfydeploy.run.time_to_end": [(success, 15.0), (failed, 4.0)],
        }

    def test_without_times(self, calls, server, observed):
        calls("run_wait", server((200, {"id": "r", "status": "success"})), "r")
        assert list(observed.points) == ["comfydeploy.runs"]


class TestRecords:
    """They need no OpenTelemetry."""

    def test_of_a_run(self, calls, server, caplog):
        caplog.set_level(logging.INFO, "comfydeploy")
        calls("run_queue_and_wait", server(QUEUED, BROKEN, SUCCESS), ORDER)
        created, failed, over = [record for record in caplog.records if record.name == "comfydeploy"]
        assert (created.levelname, created.getMessage()) == ("INFO", "run r was created")
        assert (failed.levelname, failed.getMessage()) == ("WARNING", "a poll of run r failed: SDKError")
        assert (over.levelname, over.getMessage()) == ("INFO", "run r is over: success")
        assert {record.run_id for record in (created, failed, over)} == {"r"}
        assert (failed.error_type, failed.status_code, failed.fate) == ("SDKError", 500, "answered")
        assert (over.outcome, over.polls, over.failed_polls, over.time_to_end) == ("success", 2, 1, 7.5)

    def test_of_a_failed_run(self, calls, server, caplog):
        calls("run_wait", server(FAILED, ROWS), "r")
        (record,) = [record for record in caplog.records if record.name == "comfydeploy"]
        assert (record.levelname, record.outcome, record.kind) == ("WARNING", "failed", "unknown")

    def test_of_no_run(self, calls, server, caplog):
        caplog.set_level(logging.INFO, "comfydeploy")
        calls("run_queue_and_wait", server(BUSY), ORDER)
        calls("run_sync", server(ROWS), ORDER)  # the response has no id
        (record,) = [record for record in caplog.records if record.name == "comfydeploy"]
        assert record.getMessage() == "there is no run to wait for: not_created"
        assert not hasattr(record, "run_id")

    def test_have_the_current_span(self, calls, server, observed, caplog):
        seen = []

        class Current(logging.Filter):
            def filter(self, record):
                from opentelemetry import trace

                seen.append(trace.get_current_span().name)
                return True

        with caplog.filtering(Current()):
            calls("run_wait", server(BROKEN, SUCCESS), "r")
            caplog.set_level(logging.INFO, "comfydeploy")
            calls("run_wait", server(BROKEN, SUCCESS), "r")
        assert seen == ["comfydeploy.run"] * 3

    def test_print_nothing_by_default(self, calls, server, capfd, monkeypatch):
        monkeypatch.setattr(logging.root, "handlers", [])
        calls("run_wait", server(FAILED, ROWS), "r")
        assert capfd.readouterr() == ("", "")
