"""A thousand streams that are open at once, ten events a second each, beside aiohttp by hand: CPU, memory, lateness.

Each contender reads in a process of its own. The events carry the time at which they were sent.
"""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any, Final, Literal

from benchmarks import samples
from benchmarks.peers import CHECKOUT, CONTENDERS
from benchmarks.table import Section, Target

_STREAMS: Final = 1_000
_SLICES: Final = 20  # of a tenth of a second, so that not all streams get an event at the same moment
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_NAMES: Final = {
    "aiohttp": "aiohttp, lines split by hand, json.loads",
    "own": "run_stream_async",
    "speed": "run_stream_async with comfydeploy[speed]",
}


def sections(*, quick: bool) -> Iterator[Section]:
    """Read all streams to their ends."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    server = context.Process(target=_serve, args=(3 if quick else 10, there), daemon=True)
    server.start()
    try:
        address = f"http://127.0.0.1:{here.recv()}"
        found: dict[str, list[dict[str, float]]] = {name: [] for name in _NAMES}
        for _ in range(1 if quick else 5):
            for name, taken in found.items():
                taken.append(_read(name, address))
    finally:
        server.terminate()
        server.join()
    what = f"{_STREAMS:,} live streams"
    yield Section(
        f"{what}, 10 events a second each: CPU of an event",
        "us",
        _taken(found, "cpu"),
        _targets(f"{what}, CPU / aiohttp", 2.4, 1.8),
    )
    yield Section(
        f"{what}: memory of each", "kB", _taken(found, "size"), _targets(f"kB of each of {what}", 28, 22, of="figure")
    )
    yield Section(
        f"{what}: delay of an event, 99 % are faster",
        "ms",
        _taken(found, "late"),
        _targets(f"{what}, delay / aiohttp", 1.5, 1.5),
    )


def _read(name: str, address: str) -> dict[str, float]:
    command: list[str | Path] = [CONTENDERS.python(), "-m", "benchmarks.live_reader", name, address, str(_STREAMS)]
    output = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(output)
    return found


def _taken(found: dict[str, list[dict[str, float]]], key: str) -> dict[str, list[float]]:
    return {_NAMES[name]: [one[key] for one in measured] for name, measured in found.items()}


def _targets(what: str, own: float, speed: float, of: Literal["ratio", "figure"] = "ratio") -> list[Target]:
    return [
        Target(what, _NAMES["own"], at_most=own, of=of),
        Target("the same with comfydeploy[speed]", _NAMES["speed"], at_most=speed, of=of),
    ]


def _serve(seconds: int, started: Connection) -> None:
    asyncio.run(_served(seconds, started))


class _Streams:
    """The open streams, and what waits for the last one to open or to close."""

    def __init__(self) -> None:
        self.open: list[asyncio.Transport] = []
        self.all_open = asyncio.Event()
        self.none_open = asyncio.Event()


class _Stream(asyncio.Protocol):
    """One connection. Its head is sent when the request has come."""

    def __init__(self, streams: _Streams) -> None:
        self._streams = streams

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"POST"):
            self._transport.write(_HEAD)
            self._streams.open.append(self._transport)
            if len(self._streams.open) == _STREAMS:
                self._streams.all_open.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._streams.open.remove(self._transport)
        if not self._streams.open:
            self._streams.none_open.set()


async def _served(seconds: int, started: Connection) -> None:
    streams = _Streams()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Stream(streams), "127.0.0.1", 0, backlog=_STREAMS)
    started.send(server.sockets[0].getsockname()[1])
    while await streams.all_open.wait():
        await asyncio.sleep(1)  # in which the reader settles
        begin = monotonic()
        for number in range(seconds * 10 * _SLICES):
            await asyncio.sleep(max(0, begin + number / 10 / _SLICES - monotonic()))
            for transport in streams.open[number % _SLICES :: _SLICES]:
                transport.write(_chunk(monotonic()))
        for transport in streams.open:
            transport.write(b"0\r\n\r\n")
        await streams.none_open.wait()
        streams.all_open.clear()
        streams.none_open.clear()


def _chunk(moment: float) -> bytes:
    update = {
        "event": "progress",
        "data": {"value": 7, "max": 20, "node": "3", "prompt_id": samples.RUN_ID, "sent": moment},
    }
    event = b"event: event_update\ndata: %b\n\n" % json.dumps(update, separators=(",", ":")).encode()
    return b"%x\r\n%b\r\n" % (len(event), event)
