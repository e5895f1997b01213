"""Calls whose response is a stream."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import comfydeploy.result as results
from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.exchange import named_run
from comfydeploy._wire.open_stream import Decoder, OpenStream
from comfydeploy._wire.operation import Operation
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.options import RequestOptions

if TYPE_CHECKING:
    import httpx

A = TypeVar("A")
S = TypeVar("S")
T = TypeVar("T")


def stream(
    kind: "Callable[[httpx.Response, httpx.Client, Decoder[T]], S]",
    core: ComfyDeployCore,
    operation: Operation[A, OpenStream[T]],
    argument: A,
    options: RequestOptions | None,
) -> results.Result[S, Error]:
    """Make a call and return its response as a stream of this class."""
    result = call(core, operation, argument, options)
    if not isinstance(result, results.Success):
        return result
    opened = result.unwrap()
    try:
        opened.decoder.run_id = named_run(operation, argument)  # until an event names it
        return results.Success(kind(opened.response, opened.client, opened.decoder))
    except BaseException:  # Ctrl-C
        opened.response.close()
        raise


async def stream_async(
    kind: "Callable[[httpx.Response, httpx.AsyncClient, Decoder[T]], S]",
    core: ComfyDeployCore,
    operation: Operation[A, OpenStream[T]],
    argument: A,
    options: RequestOptions | None,
) -> results.Result[S, Error]:
    """Make a call and return its response as a stream of this class, async."""
    result = await call_async(core, operation, argument, options)
    if not isinstance(result, results.Success):
        return result
    opened = result.unwrap()
    opened.decoder.run_id = named_run(operation, argument)  # until an event names it
    return results.Success(kind(opened.response, opened.client, opened.decoder))
