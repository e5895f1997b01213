"""Spans and metrics of OpenTelemetry, from the reports of the drivers."""

from contextvars import Token
from typing import Final

from opentelemetry import context, metrics, trace

from comfydeploy._drivers.call_span import CallSpan
from comfydeploy._version import __version__
from comfydeploy._wire.facts import Facts

_SCOPE: Final = "comfydeploy"
# The names of the HTTP conventions, or our own where there is none.
_NAMES: Final = {
    "method": "http.request.method",
    "url": "url.full",
    "route": "url.template",
    "host": "server.address",
    "port": "server.port",
    "status_code": "http.response.status_code",
    "resends": "http.request.resend_count",
    "error_type": "error.type",
    "fate": "comfydeploy.fate",
    "pause": "comfydeploy.pause",
    "run_id": "comfydeploy.run.id",
    "workflow_id": "comfydeploy.workflow.id",
    "machine_id": "comfydeploy.machine.id",
    "kind": "comfydeploy.failure.kind",
    "source": "comfydeploy.failure.source",
    "node_id": "comfydeploy.node.id",
    "node_type": "comfydeploy.node.type",
    "exception_type": "comfydeploy.exception.type",
}
# Seconds: a picture takes seconds, a video or a cold machine minutes.
_BUCKETS: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)


class OpenTelemetry:
    """The tracer that ``comfydeploy.tracing.instrument`` sets; ``None`` stands for the provider of the process."""

    def __init__(self, traces: trace.TracerProvider | None, meters: metrics.MeterProvider | None) -> None:
        self._tracer = trace.get_tracer(_SCOPE, __version__, traces)
        meter = metrics.get_meter(_SCOPE, __version__, meters)
        self._runs = meter.create_counter("comfydeploy.runs", "{run}", "Runs that were waited for, by outcome")
        self._durations = {
            name: meter.create_histogram(
                f"comfydeploy.run.{name}", "s", text, explicit_bucket_boundaries_advisory=_BUCKETS
            )
            for name, text in (
                ("time_to_start", "From the creation of a run to its start"),
                ("time_to_end", "From the creation of a run to its end"),
            )
        }

    def call(self) -> CallSpan:
        """Return the span of a call, which begins with its request."""
        return CallSpan(self)

    def span(self, name: str, facts: Facts, *, is_client: bool = False) -> "OpenTelemetrySpan":
        """Begin a span, inside the current one."""
        kind = trace.SpanKind.CLIENT if is_client else trace.SpanKind.INTERNAL
        return OpenTelemetrySpan(self._tracer.start_span(name, kind=kind, attributes=_attributes(facts)))

    def count(self, facts: Facts) -> None:
        """Count a run that has ended, by its outcome, and its durations."""
        outcome = _attributes({"outcome": facts["outcome"]})
        self._runs.add(1, outcome)
        for name, histogram in self._durations.items():
            seconds = facts.get(name)
            if isinstance(seconds, float):
                histogram.record(seconds, outcome)


class OpenTelemetrySpan:
    """One span of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._entered: list[Token[context.Context]] = []

    def enter(self) -> None:
        """Make the span the current one."""
        self._entered.append(context.attach(trace.set_span_in_context(self._span)))

    def exit(self, interrupt: type[BaseException] | None) -> None:
        """Make the span before it the current one."""
        token = self._entered.pop()
        if interrupt is not GeneratorExit:  # a coroutine that is closed may be closed in another context
            context.detach(token)

    def add(self, facts: Facts) -> None:
        """Add facts to the span."""
        self._span.set_attributes(_attributes(facts))

    def event(self, name: str, facts: Facts) -> None:
        """Add an event to the span."""
        self._span.add_event(name, _attributes(facts))

    def end(self, *, has_failed: bool) -> None:
        """End the span."""
        if has_failed:
            self._span.set_status(trace.StatusCode.ERROR)
        self._span.end()


def _attributes(facts: Facts) -> Facts:
    return {_NAMES.get(name, f"comfydeploy.run.{name}"): value for name, value in facts.items()}
