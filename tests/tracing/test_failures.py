"""Exceptions of observers do not break calls."""

import logging
import sys
from contextvars import copy_context

import pytest
from observation import BROKEN, BUSY, QUEUED, SUCCESS, Service

from comfydeploy import BackoffStrategy, RequestOptions, RetryConfig, Success, tracing
from comfydeploy._drivers import telemetry
from comfydeploy.hooks import Hooks

RETRIED = RequestOptions(retries=RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0)))
ORDER = {"deployment_id": "d"}
PLACES = [
    "OpenTelemetry.span",
    "OpenTelemetry.count",
    "OpenTelemetrySpan.enter",
    "OpenTelemetrySpan.exit",
    "OpenTelemetrySpan.add",
    "OpenTelemetrySpan.event",
    "OpenTelemetrySpan.end",
]

pytestmark = pytest.mark.usefixtures("no_time")


@pytest.mark.parametrize("place", PLACES)
def test_tracer_that_raises_costs_nothing(calls, observed, monkeypatch, place):
    def broken(*_, **__):
        raise ValueError("of the tracer")

    monkeypatch.setattr(f"comfydeploy._opentelemetry.{place}", broken)
    core = calls.core(transport=Service(BUSY, QUEUED, BROKEN, SUCCESS))
    apart = copy_context()  # a span that does not end stays the current one
    assert isinstance(apart.run(calls, "run_queue_and_wait", core, ORDER, RETRIED), Success)


def test_span_ends_although_its_facts_are_refused(calls, observed, monkeypatch):
    def broken(*_):
        raise ValueError

    monkeypatch.setattr("comfydeploy._opentelemetry.OpenTelemetry.count", broken)
    calls("run_wait", calls.core(transport=Service(SUCCESS)), "r")
    assert [span.name for span in observed.spans] == ["GET /run/{run_id}", "comfydeploy.run"]


def test_request_whose_address_cannot_be_split(calls, observed):
    def replaced(_, request):
        return type(request)(request.method, "http://[")

    core = calls.core(transport=Service(SUCCESS), hooks=[Hooks(before_create_request=replaced)])
    calls("run_get", core, "r")
    assert observed.spans == ()


def test_handler_that_raises_costs_nothing(calls):
    class Broken(logging.Handler):
        def handle(self, record):
            raise ValueError("of the handler")

    handler, logger = Broken(), telemetry.logger()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        core = calls.core(transport=Service(QUEUED, BROKEN, SUCCESS))
        assert isinstance(calls("run_queue_and_wait", core, ORDER), Success)
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)


def test_without_opentelemetry(monkeypatch):
    monkeypatch.delitem(sys.modules, "comfydeploy._opentelemetry", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install '.\[otel\]'"):
        tracing.instrument()
    assert telemetry.tracer is None


def test_providers_of_the_process_by_default(calls):
    tracing.instrument()
    try:
        assert isinstance(calls("run_get", calls.core(transport=Service(SUCCESS)), "r"), Success)
    finally:
        tracing.uninstrument()
    assert telemetry.tracer is None
