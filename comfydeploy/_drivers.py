"""The drivers of a call: one blocking loop and one awaiting loop that do as its exchange says."""

import time
from collections.abc import Callable
from inspect import isawaitable, iscoroutine
from typing import TYPE_CHECKING, Any, TypeVar

import comfydeploy.result as results
from comfydeploy._http.sending import send, send_async
from comfydeploy._wire.exchange import Exchange, Pause
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import authorization
from comfydeploy._wire.troubles import trouble
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import (
    Error,
    InvalidRequestError,
    Problem,
    RequestAbortedError,
    SDKValidationError,
    UnexpectedClientError,
)
from comfydeploy.models.secret import Secret
from comfydeploy.options import RequestOptions

if TYPE_CHECKING:
    import httpx

A = TypeVar("A")
S = TypeVar("S")
V = TypeVar("V")


def call(
    core: ComfyDeployCore, operation: Operation[A, V], argument: A, options: RequestOptions | None
) -> results.Result[V, Error]:
    """Make a call and wait for its result."""
    exchange: Exchange[V] | None = None
    outcome: Reply | Error | None = None
    try:
        exchange = Exchange(_checked(core), operation, argument, options)
        exchange.token = _token(core)
        while True:
            outcome = send(core.connections, exchange)
            verdict = exchange.settle(outcome)
            if not isinstance(verdict, Pause):
                return verdict
            time.sleep(verdict.seconds)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        if isinstance(outcome, Reply) and outcome.source is not None:
            outcome.source[0].close()
        return _failure(error, exchange)


async def call_async(
    core: ComfyDeployCore, operation: Operation[A, V], argument: A, options: RequestOptions | None
) -> results.Result[V, Error]:
    """Make a call and await its result."""
    exchange: Exchange[V] | None = None
    outcome: Reply | Error | None = None
    try:
        exchange = Exchange(_checked(core), operation, argument, options)
        exchange.token = await _token_async(core)
        while True:
            outcome = await send_async(core.connections, exchange)
            verdict = exchange.settle(outcome)
            if not isinstance(verdict, Pause):
                return verdict
            from asyncio import sleep

            await sleep(verdict.seconds)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        if isinstance(outcome, Reply) and outcome.source is not None:
            await outcome.source[0].aclose()
        return _failure(error, exchange)


def stream(
    kind: "Callable[[httpx.Response, httpx.Client], S]",
    core: ComfyDeployCore,
    operation: Operation[A, Reply],
    argument: A,
    options: RequestOptions | None,
) -> results.Result[S, Error]:
    """Make a call whose answer is a stream of a kind."""
    result = call(core, operation, argument, options)
    return results.Success(kind(*result.unwrap().source)) if isinstance(result, results.Success) else result


async def stream_async(
    kind: "Callable[[httpx.Response, httpx.AsyncClient], S]",
    core: ComfyDeployCore,
    operation: Operation[A, Reply],
    argument: A,
    options: RequestOptions | None,
) -> results.Result[S, Error]:
    """Make a call whose answer is a stream of a kind, to be awaited."""
    result = await call_async(core, operation, argument, options)
    return results.Success(kind(*result.unwrap().source)) if isinstance(result, results.Success) else result


def _checked(core: object) -> ComfyDeployCore:
    if isinstance(core, ComfyDeployCore):
        return core
    reason = f"expected a ComfyDeployCore, got {type(core).__name__}"
    raise SDKValidationError(f"core: {reason}", (Problem("$.core", reason),))


def _token(core: ComfyDeployCore) -> Secret:
    given = core.bearer() if callable(core.bearer) else core.bearer
    if iscoroutine(given):
        given.close()
        raise InvalidRequestError("bearer: an async callable is for the _async functions")
    return authorization(given)


async def _token_async(core: ComfyDeployCore) -> Secret:
    given = core.bearer() if callable(core.bearer) else core.bearer
    return authorization(await given if isawaitable(given) else given)


def _failure(error: Exception, exchange: Exchange[Any] | None) -> "results.Failure[Error]":
    if isinstance(error, SDKValidationError | InvalidRequestError | RequestAbortedError | UnexpectedClientError):
        return results.Failure(error.with_traceback(None))  # ours, and no frames kept alive
    return results.Failure(trouble(error, "not_sent" if exchange is None else exchange.fate, closed=False))
