"""Uploads to storage, blocking and async: the file alone, to a signed address."""

import time
from time import monotonic

from comfydeploy._http.sending import send, send_async
from comfydeploy._wire.exchange import Pause
from comfydeploy._wire.settings import within
from comfydeploy._wire.storage import StorageUploadExchange
from comfydeploy._wire.timeline import Store
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


def store(core: ComfyDeployCore, step: Store, options: RequestOptions | None) -> Result[None, Error]:
    """Send a file; raise one of our errors for an invalid address."""
    chosen = within(options, step.seconds, retries=True)
    exchange = StorageUploadExchange(core, step.address, step.upload, chosen, monotonic())
    while True:
        outcome = send(core.connections, exchange.prepare(monotonic()))
        result = exchange.settle(outcome, monotonic())
        if not isinstance(result, Pause):
            return result
        time.sleep(result.seconds)


async def store_async(core: ComfyDeployCore, step: Store, options: RequestOptions | None) -> Result[None, Error]:
    """Send a file, async; raise one of our errors for an invalid address."""
    from asyncio import sleep

    chosen = within(options, step.seconds, retries=True)
    exchange = StorageUploadExchange(core, step.address, step.upload, chosen, monotonic())
    while True:
        outcome = await send_async(core.connections, exchange.prepare(monotonic()))
        result = exchange.settle(outcome, monotonic())
        if not isinstance(result, Pause):
            return result
        await sleep(result.seconds)
