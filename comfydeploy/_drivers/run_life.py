"""What is reported of work that takes several calls, and of a run from its request to its end."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from comfydeploy._drivers import telemetry
from comfydeploy._drivers.telemetry import INFO, WARNING, Span, log, quiet
from comfydeploy._wire.facts import Facts, end_facts, result_facts, state_facts
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from comfydeploy.models.run import WorkflowRunModel
    from comfydeploy.models.run_row import WorkflowRunRow


class TracedWork:
    """A span over several calls: it is current within each ``with`` block, in any thread or task."""

    def __init__(self, name: str, run_id: str | None = None) -> None:
        self._run_id: str | None = run_id
        self._span: Span | None = None
        self._is_over = False
        self._begin(name)

    @quiet
    def _begin(self, name: str) -> None:
        if telemetry.tracer is not None:
            self._span = telemetry.tracer.span(name, {} if self._run_id is None else {"run_id": self._run_id})

    @quiet
    def __enter__(self) -> None:
        if self._span is not None:
            self._span.enter()

    @quiet
    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if self._span is not None:
            self._span.exit(kind)

    def __del__(self) -> None:
        self.end(None)  # a loop over a watch may stop early and close nothing

    @quiet
    def end(self, result: Result[Any, Any] | None) -> None:
        """End with a result, ``None`` where there is none, as after an interrupt; only the first end counts."""
        if self._is_over:
            return
        self._is_over = True
        facts = self._ended(result)
        if self._span is not None:
            self._span.add(facts)
            self._span.end(has_failed=isinstance(result, Failure))

    def _ended(self, result: Result[Any, Any] | None) -> Facts:
        return {} if result is None else result_facts(result)


@contextmanager
def traced(name: str) -> Generator[TracedWork]:
    """Put a span over the ``with`` block, which ends it with its result; an interrupt has none."""
    work = TracedWork(name)
    try:
        with work:
            yield work
    finally:
        work.end(None)


class RunLife(TracedWork):
    """One run and the calls made for it: a span, metrics, and log records of its end and of polls that failed.

    ``began`` is the time before the request that creates the run, ``None`` for a run that was there before.
    """

    def __init__(self, run_id: str | None = None, *, began: float | None = None) -> None:
        super().__init__("comfydeploy.run", run_id)
        self.began = began
        self._run: WorkflowRunModel | WorkflowRunRow | None = None
        self._polls = 0
        self._failed_polls = 0

    @quiet
    def created(self, run_id: str) -> None:
        """Take the id of the run."""
        self._run_id = run_id
        if self._span is not None:
            self._span.add({"run_id": run_id})

    @quiet
    def polled(self, result: "Result[WorkflowRunModel, Any] | Result[WorkflowRunRow, Any]") -> None:
        """Take what a read of the run, or of its row in a list, came to."""
        self._polls += 1
        if isinstance(result, Success):
            self._run = result.unwrap()
            facts = state_facts(self._run)
        else:
            self._failed_polls += 1
            facts = result_facts(result)
            log(WARNING, "a poll of run %(run_id)s failed: %(error_type)s", {"run_id": self._run_id or "", **facts})
        if self._span is not None:
            self._span.event("poll", facts)

    def _ended(self, result: Result[Any, Any] | None) -> Facts:
        facts = end_facts(result, self._run, self._run_id)
        polls = {"polls": self._polls, "failed_polls": self._failed_polls}
        message = "there is no run to wait for" if self._run_id is None else "run %(run_id)s is over"
        with self:  # so that what adds the current span to log records finds it
            log(WARNING if isinstance(result, Failure) else INFO, f"{message}: %(outcome)s", {**facts, **polls})
        if telemetry.tracer is not None:
            quiet(telemetry.tracer.count)(facts)
        return {**facts, **polls}
