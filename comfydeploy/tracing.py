"""Tracing with OpenTelemetry: a span for each call, one for each run that is followed, and metrics of runs.

One line of a program switches it on, for all cores, also those that a library makes. It needs the extra
``comfydeploy[otel]``. Spans, metrics and the log records of ``comfydeploy`` have names, numbers and ids, and neither
inputs, nor the token, nor the query of an address.
"""

from typing import TYPE_CHECKING

from comfydeploy._drivers import telemetry

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["instrument", "uninstrument"]


def instrument(
    *, tracer_provider: "TracerProvider | None" = None, meter_provider: "MeterProvider | None" = None
) -> None:
    """Report calls and runs to OpenTelemetry from here on, in this process.

    ``tracer_provider``, ``meter_provider``: in place of those of the process. Calling it again replaces them.
    """
    try:
        from comfydeploy._opentelemetry import OpenTelemetry
    except ModuleNotFoundError as error:
        needed = "tracing needs the extra: in a checkout, pip install '.[otel]'"
        raise ModuleNotFoundError(f"{error.name} is not installed; {needed}", name=error.name) from None
    telemetry.tracer = OpenTelemetry(tracer_provider, meter_provider)


def uninstrument() -> None:
    """Report nothing to OpenTelemetry any more; spans that have begun still end."""
    telemetry.tracer = None
