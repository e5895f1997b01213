"""The load of the local server: many runs at once, each with a stream and a webhook, and very many in a row.

The server has its own process and reports the memory of that; all clients and the receiver of webhooks share
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
    _print_row("start and stop, ms", (time.perf_counter() - began) / STARTS * 1000)
    with serving(pace=1) as server:
        asyncio.run(_at_once(server))
    with serving(pace=0, retention=RETENTION) as server:
        asyncio.run(_in_a_row(server))


class Serving:
    """An emulator in another process."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection
        self.url, self.bearer, self.deployment_id = connection.recv()

    def core(self) -> ComfyDeployCore:
        """Create a client of the server."""
        return ComfyDeployCore(bearer=self.bearer, server_url=self.url)

    def usage(self) -> tuple[float, float]:
        """Return the memory of its process in MiB, and its processor time in seconds."""
        self._connection.send("usage")
        pages, seconds = self._connection.recv()
        return pages * 4096 / 1024**2, seconds


@contextmanager
def serving(**settings: Any) -> Iterator[Serving]:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(settings, there), daemon=True)
    process.start()
    there.close()  # so that a server which could not start ends the wait for its address
    try:
        yield Serving(here)
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


async def _at_once(server: Serving) -> None:
    deliveries: Counter[str] = Counter()
    all_delivered = asyncio.Event()
    async with _receiver(deliveries, all_delivered) as webhook, server.core() as core:
        began = time.perf_counter()
        streams = await asyncio.gather(*(_streamed(core, server, webhook, seed) for seed in range(AT_ONCE)))
        _print_row(f"{AT_ONCE:,} streams at once, until the last has ended, seconds", time.perf_counter() - began)
        async with asyncio.timeout(60):
            await all_delivered.wait()
        _print_row("  until the last webhook, seconds", time.perf_counter() - began)
    _print_row("  streams with a success and an end", sum(well for _, well in streams))
    _print_row("  streams with an error, or cut off", sum(not well for _, well in streams))
    _print_row("  events", sum(events for events, _ in streams))
    _print_row("  deliveries", sum(deliveries.values()))
    _print_row("  deliveries of success", deliveries["success"])
    memory, seconds = server.usage()
    _print_row("  memory of the server afterwards, MiB", memory)
    _print_row("  work of the server's processor, seconds", seconds)


async def _streamed(core: ComfyDeployCore, server: Serving, webhook: str, seed: int) -> tuple[int, bool]:
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
async def _receiver(deliveries: Counter[str], all_delivered: asyncio.Event) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                deliveries[json.loads(await reader.readexactly(length))["status"]] += 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                if deliveries["success"] == AT_ONCE:
                    all_delivered.set()
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, backlog=AT_ONCE) as receiver:
        yield f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/hook"


async def _in_a_row(server: Serving) -> None:
    _print_row(f"{IN_A_ROW:,} runs with a retention of {RETENTION}, memory before, MiB", server.usage()[0])
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
                _print_row(f"  after {number:,}", server.usage()[0])

    async with server.core() as core:
        await asyncio.gather(*(work(core) for _ in range(WORKERS)))
    _print_row("  seconds", time.perf_counter() - began)
    _print_row("  work of the server's processor, seconds", server.usage()[1])


def _print_row(what: str, figure: float) -> None:
    sys.stdout.write(f"{what:<62}{figure:>10,.{0 if isinstance(figure, int) else 1}f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
