"""A service of a few responses, and the spans and metrics of OpenTelemetry for the calls to it."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from simulated_time import simulated

from comfydeploy import tracing

CREATED = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)


def at(seconds):
    return (CREATED + timedelta(seconds=seconds)).isoformat()


def run(status, **fields):
    return 200, {"id": "r", "status": status, "created_at": at(0), "workflow_id": "w", **fields}


QUEUED = (200, {"run_id": "r"})
BUSY = (503, {"detail": "busy"})
BROKEN = (500, {"detail": "broken"})
RUNNING = run("running", progress=0.5, started_at=at(2))
SUCCESS = run("success", progress=1, started_at=at(2), ended_at=at(7.5), gpu="A10G")
FAILED = run("failed", started_at=at(2), ended_at=at(4))


class Service(httpx.MockTransport):
    """Answers each request with the next of its answers; ``seen`` has the values of a function at each request."""

    def __init__(self, *answers, look=lambda: None):
        self.seen = []

        def answer(_request):
            status, body = answers[min(len(self.seen), len(answers) - 1)]
            self.seen.append(look())
            return httpx.Response(status, json=body)

        super().__init__(answer)


class Observed:
    """The spans, as they ended, and the metrics."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.traces = TracerProvider()
        self.traces.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider(metric_readers=[self.reader])

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def named(self, name):
        return [span for span in self.spans if span.name == name]

    @property
    def points(self):
        """The points of each metric, with their attributes: a count, or the sum of seconds."""
        metrics = json.loads(self.reader.get_metrics_data().to_json())["resource_metrics"]
        return {
            metric["name"]: [
                (point["attributes"], point.get("value", point.get("sum"))) for point in metric["data"]["data_points"]
            ]
            for resource in metrics
            for scope in resource["scope_metrics"]
            for metric in scope["metrics"]
        }

    @property
    def text(self):
        return "".join(span.to_json() for span in self.spans) + str(self.reader.get_metrics_data())


def parent_of(span, spans):
    return next((one for one in spans if span.parent and one.context.span_id == span.parent.span_id), None)


@pytest.fixture
def observed():
    found = Observed()
    tracing.instrument(tracer_provider=found.traces, meter_provider=found.meters)
    yield found
    tracing.uninstrument()
    found.traces.shutdown()
    found.meters.shutdown()


@pytest.fixture
def no_time():
    """Make waits take no time."""
    with simulated(SimpleNamespace(advance=lambda seconds: None)) as pauses:
        yield pauses
