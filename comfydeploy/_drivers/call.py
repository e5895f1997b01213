"""The drivers of a call: one blocking loop and one async loop that carry out the steps of its exchange."""

import time
from inspect import isawaitable, iscoroutine
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

import comfydeploy.result as results
from comfydeploy._drivers import telemetry
from comfydeploy._http.connections import running_loop
from comfydeploy._http.sending import send, send_async
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.exchange import Exchange, Pause, Renew
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import authorization
from comfydeploy._wire.transport_errors import request_error
from comfydeploy.core import KEY_VARIABLE, ComfyDeployCore
from comfydeploy.errors import ComfyDeployError, Error, InvalidRequestError
from comfydeploy.models.secret import Secret
from comfydeploy.options import RequestOptions

if TYPE_CHECKING:
    from comfydeploy._drivers.call_span import CallSpan

A = TypeVar("A")
V = TypeVar("V")

# The limits of the connection end a request at the deadline, with its fate. Steps without a limit end this much later.
_GRACE: Final = 0.05
_UNLIMITED: Final = "in a step without a time limit of its own, such as the bearer function"


def call(
    core: ComfyDeployCore,
    operation: Operation[A, V],
    argument: A,
    options: RequestOptions | None,
    span: "CallSpan | None" = None,
) -> results.Result[V, Error]:
    """Make a call and return its result. ``span`` is its span, where calls are traced."""
    if (tracer := telemetry.tracer) is not None and span is None:
        with tracer.call() as begun:
            result = call(core, operation, argument, options, begun)
            begun.end(result)
            return result
    exchange: Exchange[V] | None = None
    outcome: Reply | Error | None = None
    try:
        check_core(core)
        exchange = Exchange(core, operation, argument, options, monotonic())
        if span is not None:
            span.begin(exchange.request, exchange.run_id)
        token = _token(core)
        while True:
            outcome = send(core.connections, exchange.prepare(token, monotonic()))
            step = exchange.settle(outcome, monotonic())
            telemetry.report(exchange.operation, span, outcome, step)
            if isinstance(step, Pause):
                time.sleep(step.seconds)
            elif not isinstance(step, Renew):
                return step
            elif (renewed := _token(core)) == token:
                return step.failure
            else:
                token = renewed
    except BaseException as error:  # a function never raises, except for Ctrl-C and the like
        if isinstance(outcome, Reply) and outcome.source is not None:
            outcome.source[0].close()
        if isinstance(error, MemoryError) or not isinstance(error, Exception):
            raise
        return _failure(error, exchange)


async def call_async(
    core: ComfyDeployCore,
    operation: Operation[A, V],
    argument: A,
    options: RequestOptions | None,
    span: "CallSpan | None" = None,
) -> results.Result[V, Error]:
    """Make a call and return its result, async."""
    if (tracer := telemetry.tracer) is not None and span is None:
        with tracer.call() as begun:
            result = await call_async(core, operation, argument, options, begun)
            begun.end(result)
            return result
    exchange: Exchange[V] | None = None
    try:
        check_core(core)
        exchange = Exchange(core, operation, argument, options, monotonic())
        if span is not None:
            span.begin(exchange.request, exchange.run_id)
        if exchange.deadline is None:
            return await _settled(core, exchange, span)
        return await _settled_in_time(core, exchange, exchange.deadline.at, span)
    except MemoryError:
        raise
    except TimeoutError as error:
        deadline = exchange.deadline if exchange else None
        if exchange is None or deadline is None or not deadline.has_passed(monotonic()):
            return _failure(error, exchange)
        return _failure(deadline.exceeded(_UNLIMITED, exchange.fate), exchange)
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _failure(error, exchange)


async def _settled_in_time(
    core: ComfyDeployCore, exchange: Exchange[V], ends_at: float, span: "CallSpan | None"
) -> results.Result[V, Error]:
    from asyncio import timeout

    loop = running_loop()
    async with timeout(None) as whole:
        # Set at the deadline and not earlier, because after a busy moment of the loop both limits would end at once.
        grace = loop.call_later(ends_at - monotonic(), lambda: whole.reschedule(loop.time() + _GRACE))
        try:
            return await _settled(core, exchange, span)
        finally:
            grace.cancel()


async def _settled(core: ComfyDeployCore, exchange: Exchange[V], span: "CallSpan | None") -> results.Result[V, Error]:
    outcome: Reply | Error | None = None
    try:
        token = await _token_async(core)
        while True:
            outcome = await send_async(core.connections, exchange.prepare(token, monotonic()))
            step = exchange.settle(outcome, monotonic())
            telemetry.report(exchange.operation, span, outcome, step)
            if isinstance(step, Pause):
                from asyncio import sleep

                await sleep(step.seconds)
            elif not isinstance(step, Renew):
                return step
            elif (renewed := await _token_async(core)) == token:
                return step.failure
            else:
                token = renewed
    except Exception:
        if isinstance(outcome, Reply) and outcome.source is not None:
            await outcome.source[0].aclose()
        raise


def check_core(core: object) -> None:
    """Raise ``SDKValidationError`` for anything but a core."""
    if not isinstance(core, ComfyDeployCore):
        raise invalid_argument("core", f"expected a ComfyDeployCore, got {type(core).__name__}")


def _check_key(core: ComfyDeployCore) -> None:
    if core.bearer is None:
        raise InvalidRequestError(f"bearer: missing. Pass the API key, or set {KEY_VARIABLE} before the core is made")


def _token(core: ComfyDeployCore) -> Secret:
    _check_key(core)
    given = core.bearer() if callable(core.bearer) else core.bearer
    if iscoroutine(given):
        given.close()
        raise InvalidRequestError("bearer: an async callable is for the _async functions")
    return authorization(given)


async def _token_async(core: ComfyDeployCore) -> Secret:
    _check_key(core)
    given = core.bearer() if callable(core.bearer) else core.bearer
    return authorization(await given if isawaitable(given) else given)


def _failure(error: Exception, exchange: Exchange[Any] | None) -> "results.Failure[Error]":
    if exchange is not None:
        return exchange.fail(error)
    if isinstance(error, ComfyDeployError):
        known: Any = error.with_traceback(None)  # so that no frames are kept alive
        return results.Failure(known)
    return results.Failure(request_error(error, "not_sent", closed=False))
