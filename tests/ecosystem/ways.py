"""One call in each way: blocking or async, of a core with its own clients or with given ones."""

import asyncio
from contextlib import AsyncExitStack, ExitStack
from importlib import import_module

import httpx

from comfydeploy import ComfyDeployCore, Success

WAYS = ("blocking", "async", "blocking, given client", "async, given client")


def call(way, core, name, *arguments, **client):
    """Call an operation and return its result, or the items of its stream.

    ``core`` are the arguments of the core, ``client`` those of the client that it is given.
    """
    is_given = way.endswith("given client")
    if way.startswith("async"):
        return asyncio.run(_awaited(core, name, arguments, client if is_given else None))
    with ExitStack() as exits:
        given = {"http_client": exits.enter_context(httpx.Client(**client))} if is_given else {}
        opened = exits.enter_context(ComfyDeployCore(**core, **given))
        match getattr(import_module(f"comfydeploy.funcs.{name}"), name)(opened, *arguments):
            case Success(stream) if name.endswith("stream"):
                with stream:
                    return list(stream)
            case result:
                return result


async def _awaited(core, name, arguments, client):
    async with AsyncExitStack() as exits:
        given = {}
        if client is not None:
            given = {"async_http_client": await exits.enter_async_context(httpx.AsyncClient(**client))}
        opened = await exits.enter_async_context(ComfyDeployCore(**core, **given))
        match await getattr(import_module(f"comfydeploy.funcs.{name}"), f"{name}_async")(opened, *arguments):
            case Success(stream) if name.endswith("stream"):
                async with stream:
                    return [item async for item in stream]
            case result:
                return result
