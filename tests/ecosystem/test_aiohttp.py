"""A transport of another library carries the async calls."""

import asyncio

import pytest

from comfydeploy import ComfyDeployCore, Success
from comfydeploy.funcs.run_queue import run_queue_async
from comfydeploy.funcs.run_stream import run_stream_async

httpx_aiohttp = pytest.importorskip("httpx_aiohttp")


def test_aiohttp_carries_async_calls(local, picture):
    async def exchange():
        transport = httpx_aiohttp.AiohttpTransport()
        async with ComfyDeployCore(**local, async_transport=transport) as core:
            queued = await run_queue_async(core, picture)
            async with (await run_stream_async(core, picture)).unwrap() as stream:
                return queued, [item async for item in stream], type(transport.client).__module__

    queued, items, session = asyncio.run(exchange())
    assert isinstance(queued, Success)
    assert items
    assert all(isinstance(item, Success) for item in items)
    assert session.startswith("aiohttp.")
