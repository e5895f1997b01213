"""A span covers a call with all its attempts and contains the spans of httpx."""

import asyncio

import pytest
from observation import BUSY, QUEUED, SUCCESS, Service
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from comfydeploy import BackoffStrategy, Failure, RequestOptions, RetryConfig, Success, tracing
from comfydeploy.errors import ConnectionError, SDKValidationError
from comfydeploy.funcs.run_get import run_get_async
from comfydeploy.hooks import Hooks

RETRIED = RequestOptions(retries=RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0)))
ORDER = {"deployment_id": "d"}


def current():
    return trace.get_current_span().get_span_context().span_id


@pytest.fixture
def server(calls):
    """Create a core whose service has these answers."""

    def serve(*answers, **settings):
        service = Service(*answers, look=current)
        return calls.core("https://user.invalid/api", transport=service, **settings), service

    return serve


class TestSpan:
    def test_of_two_attempts(self, calls, server, observed):
        core, service = server(BUSY, SUCCESS)
        assert isinstance(calls("run_get", core, "r", RETRIED), Success)
        (span,) = observed.spans
        assert (span.name, span.kind) == ("GET /api/run/{run_id}", SpanKind.CLIENT)
        assert dict(span.attributes) == {
            "http.request.method": "GET",
            "url.full": "https://user.invalid/api/run/r",
            "url.template": "/api/run/{run_id}",
            "server.address": "user.invalid",
            "server.port": 443,
            "comfydeploy.run.id": "r",
            "http.request.resend_count": 1,
            "http.response.status_code": 200,
        }
        (event,) = span.events
        assert event.name == "attempt"
        assert event.attributes["http.response.status_code"] == 503
        assert event.attributes["comfydeploy.pause"] >= 0
        assert span.status.status_code is StatusCode.UNSET
        assert service.seen == [span.context.span_id] * 2
        assert current() == 0

    def test_of_a_failure(self, calls, server, observed):
        core, _ = server(BUSY)
        assert isinstance(calls("run_queue", core, ORDER), Failure)
        (span,) = observed.spans
        assert span.name == "POST /api/run/queue"
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None
        assert span.attributes["error.type"] == "SDKError"
        assert span.attributes["comfydeploy.fate"] == "answered"
        assert span.attributes["http.response.status_code"] == 503

    def test_of_a_run_has_its_id(self, calls, server, observed):
        core, _ = server(QUEUED)
        calls("run_queue", core, ORDER)
        assert observed.spans[0].attributes["comfydeploy.run.id"] == "r"

    def test_of_a_lost_connection(self, calls, observed):
        core = calls.core("http://127.0.0.1:1")
        assert isinstance(calls("run_get", core, "r").failure(), ConnectionError)
        (span,) = observed.spans
        assert span.attributes["error.type"] == "ConnectionError"
        assert span.attributes["server.port"] == 1
        assert "http.response.status_code" not in span.attributes

    def test_of_a_renewed_key(self, calls, server, observed):
        keys = iter(["old-key-of-the-test", "new-key-of-the-test"])
        core, _ = server((401, {"detail": "Revoked token"}), SUCCESS, bearer=lambda: next(keys))
        assert isinstance(calls("run_get", core, "r"), Success)
        (span,) = observed.spans
        assert [event.attributes["http.response.status_code"] for event in span.events] == [401]
        assert span.attributes["http.request.resend_count"] == 1

    def test_of_a_key_that_is_the_same(self, calls, server, observed):
        core, _ = server((401, {"detail": "Revoked token"}), bearer=lambda: "key-of-the-test")
        assert isinstance(calls("run_get", core, "r"), Failure)
        assert "http.request.resend_count" not in observed.spans[0].attributes

    def test_is_missing_where_nothing_can_be_sent(self, calls, server, observed):
        core, _ = server(SUCCESS)
        assert isinstance(calls("run_get", core, 5).failure(), SDKValidationError)
        assert observed.spans == ()

    def test_of_a_stream_ends_as_it_opens(self, calls, server, observed):
        core, _ = server((200, {}))
        assert isinstance(calls("run_stream", core, ORDER), Failure)
        assert observed.spans[0].name == "POST /api/run/stream"

    def test_of_a_download_has_no_address(self, calls, server, observed):
        core, service = server((404, {"detail": "gone"}))
        assert isinstance(calls("file_download", core, "https://storage.invalid/f.png?X-Amz-Signature=hidden"), Failure)
        (span,) = observed.spans
        assert span.name == "comfydeploy.file_download"
        assert dict(span.attributes) == {
            "error.type": "SDKError",
            "http.response.status_code": 404,
            "comfydeploy.fate": "answered",
        }
        assert service.seen == [span.context.span_id]

    def test_is_inside_the_current_one(self, calls, server, observed):
        core, _ = server(SUCCESS)
        with observed.traces.get_tracer("mine").start_as_current_span("job") as job:
            calls("run_get", core, "r", RequestOptions(deadline=60))
        assert observed.spans[0].parent.span_id == job.context.span_id

    def test_is_not_made_any_more(self, calls, server, observed):
        core, _ = server(SUCCESS)
        tracing.uninstrument()
        calls("run_get", core, "r")
        assert observed.spans == ()


class TestInterrupts:
    def test_ctrl_c(self, calls, server, observed):
        def interrupted(*_):
            raise KeyboardInterrupt

        core, _ = server(SUCCESS, hooks=[Hooks(after_success=interrupted)])
        with pytest.raises(KeyboardInterrupt):
            calls("run_get", core, "r")
        (span,) = observed.spans
        assert span.attributes["error.type"] == "KeyboardInterrupt"
        assert span.status.status_code is StatusCode.ERROR
        assert current() == 0

    def test_out_of_memory_in_a_tracer_passes(self, calls, server, observed, monkeypatch):
        def out_of_memory(*_, **__):
            raise MemoryError

        core, _ = server(SUCCESS)
        monkeypatch.setattr("comfydeploy._opentelemetry.OpenTelemetry.span", out_of_memory)
        with pytest.raises(MemoryError):
            calls("run_get", core, "r")

    def test_closed_coroutine(self, server, observed, caplog):
        core, _ = server(SUCCESS, bearer=asyncio.Event().wait)
        waiting = asyncio.run(_begun(run_get_async(core, "r")))
        waiting.close()  # in another context
        assert [span.attributes["error.type"] for span in observed.spans] == ["GeneratorExit"]
        assert caplog.records == []


async def _begun(coroutine):
    coroutine.send(None)
    return coroutine
