"""Read many live streams by one contender, and print what an event and a stream cost as JSON."""

import asyncio
import json
import os
import resource
import sys
from importlib import import_module
from pathlib import Path
from time import monotonic, process_time
from typing import Any, Protocol

from benchmarks import samples
from benchmarks.parsers import OWN, SPEED
from comfydeploy._http import http1
from comfydeploy._wire import json_decoding
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_stream import run_stream_async


class _Reader(Protocol):
    async def __call__(self, opened: asyncio.Semaphore, late: list[float]) -> None: ...


async def _measured(read: _Reader, streams: int) -> dict[str, float]:
    opened, late = asyncio.Semaphore(0), list[float]()
    tasks = [asyncio.create_task(read(opened, late))]
    await opened.acquire()  # the first one loads what all need
    before = _resident()
    tasks += [asyncio.create_task(read(opened, late)) for _ in range(streams - 1)]
    for _ in range(streams - 1):
        await opened.acquire()
    size, begin = _resident() - before, process_time()
    await asyncio.gather(*tasks)
    late.sort()
    cpu = (process_time() - begin) / len(late)
    return {"cpu": cpu, "size": size / (streams - 1), "late": late[len(late) * 99 // 100]}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def _ours(address: str, streams: int) -> dict[str, float]:
    async with ComfyDeployCore(bearer=samples.TOKEN, server_url=address) as core:

        async def read(opened: asyncio.Semaphore, late: list[float]) -> None:
            async with (await run_stream_async(core, samples.REQUEST)).unwrap() as stream:
                opened.release()
                async for item in stream:
                    update: Any = item.unwrap().data
                    late.append(monotonic() - update.data["sent"])

        return await _measured(read, streams)


async def _by_hand(address: str, streams: int) -> dict[str, float]:
    # By name, because it is not installed everywhere where this file is checked.
    aiohttp = import_module("aiohttp")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def read(opened: asyncio.Semaphore, late: list[float]) -> None:
            async with session.post(f"{address}/run/stream", json=samples.REQUEST) as response:
                opened.release()
                left = b""
                async for chunk in response.content.iter_any():
                    *events, left = (left + chunk).split(b"\n\n")
                    for event in events:
                        _name, data = event.split(b"\n")
                        late.append(monotonic() - json.loads(data.removeprefix(b"data: "))["data"]["sent"])

        return await _measured(read, streams)


def main() -> None:
    """Read by the contender of the command line."""
    name, address, streams = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    os.environ["NO_PROXY"] = "*"
    json_decoding.accept, http1.new_response = SPEED if name == "speed" else OWN
    work = _by_hand if name == "aiohttp" else _ours
    sys.stdout.write(json.dumps(asyncio.run(work(address, int(streams)))))


if __name__ == "__main__":
    main()
