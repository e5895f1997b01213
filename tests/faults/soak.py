"""Calls and streams by the thousand with 1 % faults, and what they leave behind: memory, sockets, threads, tasks.

Linux only, as memory and descriptors are read from ``/proc``.
"""

import argparse
import asyncio
import gc
import os
import resource
import subprocess
import sys
import threading
import time
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
from fault_report import record
from soak_service import EVENTS

from comfydeploy import BackoffStrategy, ComfyDeployCore, RequestOptions, RetryConfig, Success
from comfydeploy.errors import MalformedEvent
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue, run_queue_async
from comfydeploy.funcs.run_stream import run_stream, run_stream_async

CALLS: Final = 1_000_000
STREAMS: Final = 10_000
AT_ONCE: Final = 5_000
STREAMS_AT_ONCE: Final = 1_000
THREADS: Final = 500
WORKERS: Final = 8
TASKS: Final = 50
OPTIONS: Final = RequestOptions(retries=RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 600.0)))


class Ledger:
    """What became of every call. ``lost``: results that are not those of their own call, or that are missing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.numbers = count(1)
        self.outcomes: Counter[str] = Counter()
        self.done = self.cut = 0
        # By the number of the run, and as large as they will be, so that they do not look like a leak.
        self._not_sent, self._known = bytearray(2 * CALLS), bytearray(2 * CALLS)
        self.problems: list[str] = []

    def read(self, number: int, result: Any) -> None:
        """Take the result of a read."""
        if isinstance(result, Success):
            self._expect(result.unwrap().id == str(number), f"run {number} was read as {result.unwrap().id}")
        self._count(result)

    def created(self, number: int, result: Any) -> None:
        """Take the result of a call that creates a run."""
        if isinstance(result, Success):
            self._expect(result.unwrap().run_id == str(number), f"run {number} was created as {result.unwrap().run_id}")
        self._count(result)
        self._settle(number, None if isinstance(result, Success) else result.failure())

    def streamed(self, number: int, result: Any, items: list[Any]) -> None:
        """Take the result of a stream, with its items."""
        self._count(result)
        failure = None if isinstance(result, Success) else result.failure()
        if failure is None:
            last = items[-1].failure() if items and not isinstance(items[-1], Success) else None
            is_cut = last is not None and not isinstance(last, MalformedEvent)
            good = sum(isinstance(item, Success) for item in items)
            self._expect(is_cut or good >= EVENTS, f"stream {number} ended after {good} events without a word")
            self.cut += is_cut
        self._settle(number, failure)

    def _settle(self, number: int, failure: Any) -> None:
        if failure is not None and failure.fate == "not_sent":
            self._not_sent[number] = 1
        else:
            self._known[number] = 1

    def _count(self, result: Any) -> None:
        self.done += 1
        self.outcomes["Success" if isinstance(result, Success) else type(result.failure()).__name__] += 1

    def _expect(self, holds: object, problem: str) -> None:
        if not holds:
            self.problems.append(problem)

    def settle(self) -> int:
        """Compare with the runs of the server, and return the number of runs that were created twice."""
        executed = array("Q", httpx.get(f"{self.url}/executed", timeout=60).content)
        times = Counter(executed)
        unknown = [number for number in times if not self._known[number]]
        called_not_sent = sum(self._not_sent[number] for number in unknown)
        self._expect(not called_not_sent, f"{called_not_sent} runs are called not sent")
        self._expect(len(unknown) == called_not_sent, f"{len(unknown) - called_not_sent} runs are unknown")
        return sum(many > 1 for many in times.values())


def call(core: ComfyDeployCore, ledger: Ledger) -> None:
    """Read a run or create one, blocking."""
    number = next(ledger.numbers)
    if number % 2:
        ledger.read(number, run_get(core, str(number), OPTIONS))
    else:
        ledger.created(number, run_queue(core, _request(number), OPTIONS))


async def call_async(core: ComfyDeployCore, ledger: Ledger) -> None:
    """Read a run or create one, async."""
    number = next(ledger.numbers)
    if number % 2:
        ledger.read(number, await run_get_async(core, str(number), OPTIONS))
    else:
        ledger.created(number, await run_queue_async(core, _request(number), OPTIONS))


def stream(core: ComfyDeployCore, ledger: Ledger) -> None:
    """Read a stream to its end, blocking."""
    number = next(ledger.numbers)
    result = run_stream(core, _request(number), OPTIONS)
    ledger.streamed(number, result, list(result.unwrap()) if isinstance(result, Success) else [])


async def stream_async(core: ComfyDeployCore, ledger: Ledger) -> None:
    """Read a stream to its end, async."""
    number = next(ledger.numbers)
    result = await run_stream_async(core, _request(number), OPTIONS)
    items = [item async for item in result.unwrap()] if isinstance(result, Success) else []
    ledger.streamed(number, result, items)


def _request(number: int) -> dict[str, Any]:
    return {"deployment_id": "d", "inputs": {"number": number}}


Blocking = Callable[[ComfyDeployCore, Ledger], None]
Awaited = Callable[[ComfyDeployCore, Ledger], Awaitable[None]]


def in_threads(work: Blocking, total: int, threads: int) -> Callable[[ComfyDeployCore, Ledger], None]:
    """Return a phase of blocking calls in threads."""

    def phase(core: ComfyDeployCore, ledger: Ledger) -> None:
        def several(_: int) -> None:
            for _ in range(total // threads):
                work(core, ledger)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(several, range(threads)))

    return phase


def in_tasks(work: Awaited, total: int, tasks: int) -> Callable[[ComfyDeployCore, Ledger], None]:
    """Return a phase of async calls in tasks."""

    async def several(core: ComfyDeployCore, ledger: Ledger) -> None:
        for _ in range(total // tasks):
            await work(core, ledger)

    async def every(core: ComfyDeployCore, ledger: Ledger) -> None:
        async with core, asyncio.TaskGroup() as group:
            for _ in range(tasks):
                group.create_task(several(core, ledger))
        await asyncio.sleep(0)
        left = len(asyncio.all_tasks()) - 1
        if left:
            ledger.problems.append(f"{left} tasks are left")

    return lambda core, ledger: asyncio.run(every(core, ledger))


def soak(arguments: list[str]) -> None:
    """Run the phases, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="the share of the calls and streams")
    scale = parser.parse_args(arguments).scale
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    calls, streams = int(CALLS * scale), int(STREAMS * scale)
    phases = {
        "calls, 8 threads": in_threads(call, calls // 2, WORKERS),
        "calls, 50 tasks": in_tasks(call_async, calls // 2, TASKS),
        "streams, 8 threads": in_threads(stream, streams // 2, WORKERS),
        "streams, 50 tasks": in_tasks(stream_async, streams // 2, TASKS),
        "5,000 calls at once": in_tasks(call_async, AT_ONCE, AT_ONCE),
        "1,000 streams at once": in_tasks(stream_async, STREAMS_AT_ONCE, STREAMS_AT_ONCE),
        "500 threads": in_threads(call, THREADS * 20, THREADS),
    }
    command = [sys.executable, str(Path(__file__).with_name("soak_service.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        ledger = Ledger(f"http://127.0.0.1:{int(service.stdout.readline())}")
        in_threads(call, 400, 4)(warm := ComfyDeployCore(bearer="k", server_url=ledger.url), ledger)
        warm.close()
        rows = [_row(name, phase, ledger) for name, phase in phases.items()]
        twice = ledger.settle()
        assert service.stdin
        service.stdin.close()
    rows.append({"phase": "**all**", "calls": ledger.done})
    problems = f"**{len(ledger.problems)} lost, {twice} sent twice**"
    outcomes = f"{ledger.cut:,} streams cut, " + ", ".join(
        f"{kind} {number:,}" for kind, number in ledger.outcomes.most_common()
    )
    what = f"{scale:g} of {CALLS:,} calls and {STREAMS:,} streams, 1 % of them with a fault; {problems}; {outcomes}"
    record("soak", {"what": what, "rows": rows})
    sys.stdout.write(f"{what}\n" + "".join(f"{problem}\n" for problem in ledger.problems[:20]))
    sys.exit(bool(ledger.problems or twice))


def _row(name: str, phase: Callable[[ComfyDeployCore, Ledger], None], ledger: Ledger) -> dict[str, Any]:
    """Run a phase, and return its figures. The growth of memory is that of its second half."""
    gc.collect()
    descriptors, threads, done = _descriptors(), threading.active_count(), ledger.done
    began, halfway = time.monotonic(), _Halfway()
    with ComfyDeployCore(bearer="k", server_url=ledger.url) as core:
        halfway.start()
        phase(core, ledger)
        halfway.stop()
    seconds = time.monotonic() - began
    gc.collect()
    made = ledger.done - done
    row = {
        "phase": name,
        "calls": made,
        "calls a second": made / seconds,
        "MiB": _memory(),
        "MiB more in its second half": halfway.growth,
        "descriptors left": _descriptors() - descriptors,
        "threads left": threading.active_count() - threads,
    }
    sys.stdout.write(f"{row}\n")
    sys.stdout.flush()
    return row


class _Halfway:
    """Reads the memory in a thread: its growth is from the middle of the readings to the end."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._readings: list[float] = []
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _read(self) -> None:
        while not self._over.wait(0.2):
            self._readings.append(_memory())

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    @property
    def growth(self) -> float:
        readings = self._readings
        return readings[-1] - readings[len(readings) // 2] if readings else 0.0


def _memory() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - of the numbers only the count
