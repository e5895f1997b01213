"""A span over one call with all its attempts."""

from typing import Any, Self

from comfydeploy._drivers.telemetry import Span, Tracer, quiet
from comfydeploy._wire.exchange import Pause, Renew
from comfydeploy._wire.facts import outcome_facts, request_facts, result_facts
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy.errors import Error
from comfydeploy.result import Result, Success


class CallSpan:
    """The span of a call, current from ``begin`` to the end of the ``with`` block, so that spans of httpx are in it."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._span: Span | None = None
        self._attempts = 0
        self._has_failed = True  # until a result is known: an interrupt has none

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self._finish(kind)

    @quiet
    def begin(self, request: Request, run_id: str | None = None) -> None:
        """Begin with the request of the first attempt."""
        facts = request_facts(request)
        named = facts if run_id is None else {**facts, "run_id": run_id}
        span = self._tracer.span(f"{facts['method']} {facts['route']}", named, is_client=True)
        span.enter()
        self._span = span

    @quiet
    def settle(self, outcome: Reply | Error, step: object) -> None:
        """Take the outcome of an attempt, and the step after it; each but the last is an event."""
        if self._span is None:
            return
        facts = outcome_facts(outcome)
        if self._attempts:
            self._span.add({"resends": self._attempts})
        self._attempts += 1
        if isinstance(step, Pause | Renew):
            pause = step.seconds if isinstance(step, Pause) else 0.0
            self._span.event("attempt", {**facts, "pause": pause})
        elif isinstance(outcome, Reply):
            self._span.add(facts)

    @quiet
    def end(self, result: Result[Any, Any]) -> None:
        """Take the result of the call."""
        self._has_failed = not isinstance(result, Success)
        if self._span is not None:
            self._span.add(result_facts(result))

    @quiet
    def _finish(self, interrupt: type[BaseException] | None) -> None:
        span = self._span
        if span is None:
            return
        try:
            if interrupt is not None:
                span.add({"error_type": interrupt.__name__})
        finally:
            span.exit(interrupt)
            span.end(has_failed=self._has_failed)
