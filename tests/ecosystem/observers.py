"""Make calls in every way while a package observes httpx, and print its observations.

A separate program, because not every package undoes its patches.
"""

import json
import sys

from ways import WAYS, call

NO_RUN = "00000000-0000-4000-8000-000000000000"


def opentelemetry():
    """Return a function that returns the spans since its last call."""
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)

    def seen():
        spans = [
            (span.attributes["http.method"], span.attributes["http.url"], int(span.attributes["http.status_code"]))
            for span in exporter.get_finished_spans()
        ]
        exporter.clear()
        return spans

    return seen


def sentry():
    """Return a function that returns the breadcrumbs since its last call."""
    import sentry_sdk
    from sentry_sdk.integrations.httpx import HttpxIntegration

    events = []
    sentry_sdk.init(
        dsn="http://key@service.invalid/1",
        transport=lambda _: None,
        before_send_transaction=lambda event, _: events.append(event),
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[HttpxIntegration()],
        traces_sample_rate=1.0,
    )
    transactions = [sentry_sdk.start_transaction(name="calls").__enter__()]

    def seen():
        transactions.pop().__exit__(None, None, None)
        transactions.append(sentry_sdk.start_transaction(name="calls").__enter__())
        (event,) = events
        events.clear()
        data = [span["data"] for span in event["spans"] if span["op"] == "http.client"]
        return [(span["http.method"], span["url"], span["http.response.status_code"]) for span in data]

    return seen


def ddtrace():
    """Return a function that returns the spans since its last call."""
    from ddtrace import patch
    from ddtrace.trace import TraceFilter, tracer

    spans = []

    class Kept(TraceFilter):
        def process_trace(self, trace):
            spans.extend(trace)  # so that nothing is sent

    tracer.configure(trace_processors=[Kept()])
    patch(httpx=True)

    def seen():
        tags = [[span.get_tag(f"http.{name}") for name in ("method", "url", "status_code")] for span in spans]
        spans.clear()
        return [(method, url, int(status)) for method, url, status in tags]

    return seen


def main(tool, url, bearer, deployment_id):
    seen = {"opentelemetry": opentelemetry, "sentry": sentry, "ddtrace": ddtrace}[tool]()
    found = {}
    for way in WAYS:
        for name in ("run_queue", "run_stream"):
            call(way, {"bearer": bearer, "server_url": url}, name, {"deployment_id": deployment_id})
        call(way, {"bearer": bearer, "server_url": url}, "run_get", NO_RUN)
        found[way] = seen()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
