"""The only I/O: one blocking loop and one awaiting loop that move the bytes of an exchange."""

import time
from collections.abc import Callable
from inspect import isawaitable, iscoroutine
from typing import TYPE_CHECKING, Any, TypeVar

from comfydeploy._wire.exchange import Exchange, Pause
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.reply import Reply, unexpected
from comfydeploy._wire.request import authorization
from comfydeploy._wire.troubles import trouble, without_frames
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
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    import httpx

    from comfydeploy._wire.upload import Window

A = TypeVar("A")
S = TypeVar("S")
V = TypeVar("V")


def call(
    core: ComfyDeployCore, operation: Operation[A, V], argument: A, options: RequestOptions | None
) -> Result[V, Error]:
    """Make a call and wait for its result."""
    exchange: Exchange[V] | None = None
    outcome: Reply | Error | None = None
    try:
        exchange = Exchange(_checked(core), operation, argument, options)
        exchange.token = _token(core)
        while True:
            outcome = _send(core, exchange)
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
) -> Result[V, Error]:
    """Make a call and await its result."""
    exchange: Exchange[V] | None = None
    outcome: Reply | Error | None = None
    try:
        exchange = Exchange(_checked(core), operation, argument, options)
        exchange.token = await _token_async(core)
        while True:
            outcome = await _send_async(core, exchange)
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
) -> Result[S, Error]:
    """Make a call whose answer is a stream of a kind."""
    result = call(core, operation, argument, options)
    return Success(kind(*result.unwrap().source)) if isinstance(result, Success) else result


async def stream_async(
    kind: "Callable[[httpx.Response, httpx.AsyncClient], S]",
    core: ComfyDeployCore,
    operation: Operation[A, Reply],
    argument: A,
    options: RequestOptions | None,
) -> Result[S, Error]:
    """Make a call whose answer is a stream of a kind, to be awaited."""
    result = await call_async(core, operation, argument, options)
    return Success(kind(*result.unwrap().source)) if isinstance(result, Success) else result


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


def _send(core: ComfyDeployCore, exchange: Exchange[Any]) -> Reply | Error:
    client = core.connections.client(lasting=exchange.is_lasting)
    with exchange.opened_upload() as file:
        request = _outgoing(client, exchange, file, is_ours=core.connections.given is None)
        exchange.fate = "unknown"
        return _sent(client, request, exchange)


def _sent(client: "httpx.Client", request: "httpx.Request", exchange: Exchange[Any]) -> Reply | Error:
    import httpx

    try:
        response = client.send(request, stream=True, follow_redirects=False)
        reading = exchange.what_to_read(response.status_code, response.headers.get("content-type", ""))
        if reading == "later":
            return _open_reply(response, client, exchange)
        try:
            return _reply(response, response.read() if reading == "all" else b"")
        except httpx.DecodingError as error:
            return _undecodable(response, error, exchange)
        finally:
            response.close()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever breaks here is an outcome
        return trouble(error, exchange.fate, closed=client.is_closed)


async def _send_async(core: ComfyDeployCore, exchange: Exchange[Any]) -> Reply | Error:
    client = core.connections.async_client(lasting=exchange.is_lasting)
    with exchange.opened_upload() as file:
        request = _outgoing(client, exchange, file, is_ours=core.connections.async_given is None)
        exchange.fate = "unknown"
        return await _sent_async(client, request, exchange)


async def _sent_async(client: "httpx.AsyncClient", request: "httpx.Request", exchange: Exchange[Any]) -> Reply | Error:
    import httpx

    try:
        response = await client.send(request, stream=True, follow_redirects=False)
        reading = exchange.what_to_read(response.status_code, response.headers.get("content-type", ""))
        if reading == "later":
            return _open_reply(response, client, exchange)
        try:
            return _reply(response, await response.aread() if reading == "all" else b"")
        except httpx.DecodingError as error:
            return _undecodable(response, error, exchange)
        finally:
            await response.aclose()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever breaks here is an outcome
        return trouble(error, exchange.fate, closed=client.is_closed)


def _outgoing(
    client: "httpx.Client | httpx.AsyncClient", exchange: Exchange[Any], file: "Window | None", *, is_ours: bool
) -> "httpx.Request":
    request = exchange.prepare()
    body: dict[str, Any] = {"content": request.content, "extensions": {"timeout": exchange.limits}}
    if file is not None and request.upload is not None:
        body["files"] = {"file": (request.upload.name, file, request.upload.media_type)}
    headers = {"authorization": f"Bearer {exchange.token.reveal()}", **request.headers}
    if is_ours:
        import httpx

        # Not through the client, which would add the cookies that it was sent: one of them would beat the token.
        headers["accept-encoding"] = client.headers["accept-encoding"]
        return httpx.Request(request.method, request.url, headers=headers, **body)
    built = client.build_request(request.method, request.url, headers=headers, **body)
    built.headers.pop("cookie", None)
    return built


def _reply(response: "httpx.Response", content: bytes) -> Reply:
    return Reply(response.status_code, dict(response.headers), content)


def _open_reply(
    response: "httpx.Response", client: "httpx.Client | httpx.AsyncClient", exchange: Exchange[Any]
) -> Reply:
    # The transport looks these up as it begins to read the body.
    exchange.limits["read"] = exchange.idle_limit
    return Reply(response.status_code, dict(response.headers), source=(response, client))


def _undecodable(response: "httpx.Response", error: Exception, exchange: Exchange[Any]) -> Error:
    reply = _reply(response, b"").without(exchange.token)
    found = unexpected(reply, f"The body of the answer cannot be decompressed: {error}")
    found.__cause__ = without_frames(error)
    return found


def _failure(error: Exception, exchange: Exchange[Any] | None) -> Failure[Error]:
    if isinstance(error, SDKValidationError | InvalidRequestError | RequestAbortedError | UnexpectedClientError):
        return Failure(error.with_traceback(None))  # ours, and no frames kept alive
    return Failure(trouble(error, "not_sent" if exchange is None else exchange.fate, closed=False))
