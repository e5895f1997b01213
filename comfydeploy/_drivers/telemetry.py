"""The reports of calls and runs to the logger ``comfydeploy``, and to the tracer of ``comfydeploy.tracing``, if set.

Nothing here raises, because an observer must never break a call.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol

import comfydeploy.result as results
from comfydeploy._wire.operation import Operation

if TYPE_CHECKING:
    import logging

    from comfydeploy._drivers.call_span import CallSpan
    from comfydeploy._wire.exchange import Step
    from comfydeploy._wire.facts import Facts
    from comfydeploy._wire.reply import Reply
    from comfydeploy.errors import Error

P = ParamSpec("P")

INFO: Final = 20  # of logging, which is not worth loading for two numbers
WARNING: Final = 30


class Span(Protocol):
    """A span. Facts have the names of ``_wire.facts``."""

    def enter(self) -> None:
        """Make the span the current one."""

    def exit(self, interrupt: type[BaseException] | None) -> None:
        """Make the span before it the current one; ``interrupt`` is the exception that is being raised."""

    def add(self, facts: "Facts") -> None:
        """Add facts to the span."""

    def event(self, name: str, facts: "Facts") -> None:
        """Add an event to the span."""

    def end(self, *, has_failed: bool) -> None:
        """End the span."""


class Tracer(Protocol):
    """Creates spans and counts runs."""

    def call(self) -> "CallSpan":
        """Return the span of a call, which begins with its request."""
        ...

    def span(self, name: str, facts: "Facts", *, is_client: bool = False) -> Span:
        """Begin a span; ``is_client`` marks one over a request."""
        ...

    def count(self, facts: "Facts") -> None:
        """Count a run that has ended, by its outcome, and its durations."""


tracer: Tracer | None = None
"""Set by ``comfydeploy.tracing.instrument``."""


def quiet(function: Callable[P, None]) -> Callable[P, None]:
    """Return a function that ignores the exceptions of this one."""

    @wraps(function)
    def guarded(*given: P.args, **named: P.kwargs) -> None:
        try:
            function(*given, **named)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S110 - there is nothing to report it to
            pass

    return guarded


@cache
def logger() -> "logging.Logger":
    """Return the logger, which prints nothing in a program that configures no logging."""
    from logging import NullHandler, getLogger  # loaded with the first core

    found = getLogger("comfydeploy")
    found.addHandler(NullHandler())
    return found


@quiet
def log(level: int, message: str, facts: "Facts") -> None:
    """Log a message, in which ``%(name)s`` is a fact; the record has all facts as attributes."""
    logger().log(level, message, facts, extra=dict(facts))


def report(
    operation: Operation[Any, Any], span: "CallSpan | None", outcome: "Reply | Error", step: "Step[Any]"
) -> None:
    """Report the outcome of an attempt and the step after it, which may be the result of the call."""
    if span is not None:
        span.settle(outcome, step)
    if operation.creates == "run":
        _log_created(step)


@quiet
def _log_created(step: "Step[Any]") -> None:
    if logger().isEnabledFor(INFO) and isinstance(step, results.Success):
        run_id = getattr(step.unwrap(), "run_id", None)
        if isinstance(run_id, str):
            log(INFO, "run %(run_id)s was created", {"run_id": run_id})
