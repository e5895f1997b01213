"""What the local server bears: many runs at once, each with a stream and a webhook, and very many in a row.

The server has a process of its own and tells how much memory that takes; all clients and the receiver of webhooks share
another one. Linux only, as it reads the memory from ``/proc``.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from comfydeploy import ComfyDeployCore, Success, unwrap
from comfydeploy.emulator import Emulator
from comfydeploy.funcs.run_stream import run_stream_async
from comfydeploy.funcs.run_sync import run_sync_async
from comfydeploy.models import EventUpdate, EventUpdateEvent
from comfydeploy.options import RequestOptions

AT_ONCE: Final = 1_000
IN_A_ROW: Final = 10_000
RETENTION: Final = 100
WORKERS: Final = 20
STARTS: Final = 20


def main() -> None:
    """Print the table."""
    began = time.perf_counter()
    for _ in range(STARTS):
        with Emulator():
            pass
    _tell("start and stop, ms", (time.perf_counter() - began) / STARTS * 1000)
    with _server(pace=1) as server:
        asyncio.run(_at_once(server))
    with _server(pace=0, retention=RETENTION) as server:
        asyncio.run(_in_a_row(server))


class _Server:
    """An emulator in another process."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection
        self.url, self.bearer, self.deployment_id = connection.recv()

    def core(self) -> ComfyDeployCore:
        """Make a client of it."""
        return ComfyDeployCore(bearer=self.bearer, server_url=self.url)

    def usage(self) -> tuple[float, float]:
        """Ask how many MiB its process takes, and how many seconds of a processor it has taken."""
        self._connection.send("usage")
        pages, seconds = self._connection.recv()
        return pages * 4096 / 1024**2, seconds


@contextmanager
def _server(**settings: Any) -> Iterator[_Server]:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(settings, there), daemon=True)
    process.start()
    there.close()  # so that a server which could not start ends the wait for its address
    try:
        yield _Server(here)
    finally:
        here.close()
        process.join()


def _serve(settings: dict[str, Any], connection: Connection) -> None:
    with Emulator(**settings) as emulator:
        connection.send((emulator.url, emulator.bearer, emulator.deployments["picture"]))
        try:
            while connection.recv():
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                connection.send((pages, time.process_time()))
        except EOFError:
            pass


async def _at_once(server: _Server) -> None:
    told: Counter[str] = Counter()
    all_told = asyncio.Event()
    async with _receiver(told, all_told) as webhook, server.core() as core:
        began = time.perf_counter()
        streams = await asyncio.gather(*(_streamed(core, server, webhook, seed) for seed in range(AT_ONCE)))
        _tell(f"{AT_ONCE:,} streams at once, until the last has ended, seconds", time.perf_counter() - began)
        async with asyncio.timeout(60):
            await all_told.wait()
        _tell("  until the last webhook has been told, seconds", time.perf_counter() - began)
    _tell("  streams that told of success and ended", sum(well for _, well in streams))
    _tell("  streams with an error, or cut off", sum(not well for _, well in streams))
    _tell("  events", sum(events for events, _ in streams))
    _tell("  deliveries", sum(told.values()))
    _tell("  deliveries of success", told["success"])
    memory, seconds = server.usage()
    _tell("  memory of the server afterwards, MiB", memory)
    _tell("  work of the server's processor, seconds", seconds)


async def _streamed(core: ComfyDeployCore, server: _Server, webhook: str, seed: int) -> tuple[int, bool]:
    inputs = {"seed": seed, "width": 64, "height": 64}
    request = {"deployment_id": server.deployment_id, "inputs": inputs, "webhook": webhook}
    events, has_succeeded = 0, False
    async with unwrap(await run_stream_async(core, request, RequestOptions(idle_timeout=120))) as stream:
        async for item in stream:
            events += 1
            match item:
                case Success(EventUpdateEvent(data=EventUpdate(event="status", data={"status": "success"}))):
                    has_succeeded = True
                case Success(_):
                    pass
                case _:
                    return events, False
    return events, has_succeeded


@asynccontextmanager
async def _receiver(told: Counter[str], all_told: asyncio.Event) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                told[json.loads(await reader.readexactly(length))["status"]] += 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                if told["success"] == AT_ONCE:
                    all_told.set()
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, backlog=AT_ONCE) as receiver:
        yield f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/hook"


async def _in_a_row(server: _Server) -> None:
    _tell(f"{IN_A_ROW:,} runs with a retention of {RETENTION}, memory before, MiB", server.usage()[0])
    began = time.perf_counter()
    numbers = iter(range(1, IN_A_ROW + 1))

    async def work(core: ComfyDeployCore) -> None:
        for number in numbers:
            request = {
                "deployment_id": server.deployment_id,
                "inputs": {"seed": number, "width": 64, "height": 64},
            }
            assert len(unwrap(await run_sync_async(core, request))) == 1
            if number in {IN_A_ROW // 10, IN_A_ROW // 4, IN_A_ROW // 2, IN_A_ROW}:
                _tell(f"  after {number:,}", server.usage()[0])

    async with server.core() as core:
        await asyncio.gather(*(work(core) for _ in range(WORKERS)))
    _tell("  seconds", time.perf_counter() - began)
    _tell("  work of the server's processor, seconds", server.usage()[1])


def _tell(what: str, figure: float) -> None:
    sys.stdout.write(f"{what:<62}{figure:>10,.{0 if isinstance(figure, int) else 1}f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
