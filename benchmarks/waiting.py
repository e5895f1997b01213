"""Waits: their requests, the delay of their report, the cost of 1,000 waits, and the precision of deadlines.

The first two are measured in simulated time: each pause of a wait advances the clock of the local server.
"""

import asyncio
import io
import json
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from benchmarks import samples
from benchmarks.loopback import loopback, whole
from benchmarks.table import Section, Target
from comfydeploy import ComfyDeployCore, Failure, RequestOptions, unwrap
from comfydeploy.emulator import Emulator, Succeeds
from comfydeploy.errors import RequestTimeoutError
from comfydeploy.funcs.file_upload import file_upload, file_upload_async
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait
from comfydeploy.funcs.run_stream import run_stream, run_stream_async
from comfydeploy.funcs.run_wait import run_wait_async
from comfydeploy.outcome import DeadlineExceeded

_MOST_REQUESTS: Final = {1: 6, 10: 16, 100: 85}
_LATEST: Final = 0.9
_WAITS: Final = 1000
_WAIT: Final = 20.0
_DEADLINE: Final = 0.5
_LATE: Final = RequestOptions(deadline=_DEADLINE)
_JSON: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"
_EVENTS: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def sections(*, quick: bool) -> Iterator[Section]:
    """Wait for runs, for many at once, and up to deadlines."""
    found = {seconds: [_waited(seconds) for _ in range(5 if quick else 40)] for seconds in _MOST_REQUESTS}
    requests = {f"a run of {seconds} s": [max(count for count, _ in each)] for seconds, each in found.items()}
    yield Section(
        "Requests of run_queue_and_wait, the most of all rounds",
        "requests",
        requests,
        [
            Target(f"requests for a run of {seconds} s", f"a run of {seconds} s", at_most=most, of="figure")
            for seconds, most in _MOST_REQUESTS.items()
        ],
    )
    delays = {f"a run of {seconds} s": [late for _, late in each] for seconds, each in found.items()}
    slowest = Target("seconds from the end of a run of 100 s to its report", "a run of 100 s", _LATEST, of="figure")
    yield Section("From the end of a run to its report", "s", delays, [slowest])
    yield from _many_waits()
    yield from _deadlines(1 if quick else 5)


def _waited(seconds: int) -> tuple[int, float]:
    """Return the requests for a run of a duration, and the delay until its end was reported."""
    slept = random.random()  # so that polls meet the end at any moment
    with (
        Emulator(clock="manual", port=None) as emulator,
        ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url, transport=emulator.transport) as core,
    ):
        emulator.script("picture", Succeeds(seconds=seconds))

        def sleep(pause: float) -> None:
            nonlocal slept
            slept += pause
            emulator.advance(pause)

        drivers = "comfydeploy._drivers"
        clock = SimpleNamespace(sleep=sleep)
        with (
            patch(f"{drivers}.steps.time", clock),
            patch(f"{drivers}.steps.monotonic", lambda: slept),
            patch(f"{drivers}.waiting.monotonic", lambda: slept),
        ):
            unwrap(run_queue_and_wait(core, {"deployment_id": emulator.deployments["picture"]}))
        (run,) = emulator.runs
        assert run.ended_at is not None
        return len(emulator.requests), (emulator.requests[-1].moment - run.ended_at).total_seconds()


def _many_waits() -> Iterator[Section]:
    running = samples.run(0).replace(b'"status":"success"', b'"status":"running"')
    running = re.sub(rb'"ended_at":"[^"]*"', b'"ended_at":null', running)
    path = f"GET /run/{samples.RUN_ID}"
    with loopback({path: whole(running), f"{path}?queue_position=true": whole(running)}) as url:
        command = [sys.executable, "-m", "benchmarks.waiting", url]
        measured: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    title = f"{_WAITS:,} waits at once, for {_WAIT:g} s"
    yield Section(f"{title}: processor", "s", {"of the process": [measured["cpu"]]})
    yield Section(f"{title}: growth of memory", "MB", {"of the process": [measured["memory"]]})
    yield Section(f"{title}: the last is over", "s", {"after": [measured["seconds"]]})


async def _wait_often(url: str) -> None:
    options = RequestOptions(deadline=_WAIT)
    async with ComfyDeployCore(bearer="k", server_url=url) as core:
        unwrap(await run_get_async(core, samples.RUN_ID))
        before, cpu, began = _memory(), time.process_time(), time.perf_counter()
        results = await asyncio.gather(*(run_wait_async(core, samples.RUN_ID, options) for _ in range(_WAITS)))
        for result in results:
            assert isinstance(result.failure(), DeadlineExceeded), result
        measured = {
            "cpu": time.process_time() - cpu,
            "memory": _memory() - before,
            "seconds": time.perf_counter() - began,
        }
    sys.stdout.write(json.dumps(measured))


def _deadlines(rounds: int) -> Iterator[Section]:
    taken: dict[str, list[float]] = {}
    with (
        _trickle(b"HTTP/1.1 200 OK\r\nx-a: ", b"a") as head,
        _trickle(_JSON, b" ") as body,
        _trickle(_EVENTS, b":\n") as stream,
        socket.create_server(("127.0.0.1", 0)) as deaf,
    ):
        # The first call, blocking or async, loads httpx and the certificates, which may take longer than a deadline.
        for is_async in (False, True):
            _refused(is_async=is_async)
        silent = f"127.0.0.1:{deaf.getsockname()[1]}"
        for name, url, work, work_async in (
            ("connecting", f"https://{silent}", _read, _read_async),
            ("upload", f"http://{silent}", _upload, _upload_async),
            ("trickled head", head, _read, _read_async),
            ("trickled body", body, _read, _read_async),
            ("trickled stream", stream, _follow, _follow_async),
        ):
            taken[f"{name}, blocking"] = [_timed(work, url) for _ in range(rounds)]
            taken[f"{name}, async"] = [asyncio.run(_timed_async(work_async, url)) for _ in range(rounds)]
    most = {name: [max(each)] for name, each in taken.items()}
    targets = [Target(f"a deadline of {_DEADLINE:g} s: {name}", name, at_most=0.7, of="figure") for name in most]
    yield Section(f"A deadline of {_DEADLINE:g} s, the longest of all rounds", "s", most, targets)


def _refused(*, is_async: bool) -> None:
    core = ComfyDeployCore(bearer="k", server_url="https://127.0.0.1:1")
    if is_async:
        asyncio.run(run_get_async(core, "r"))
    else:
        run_get(core, "r")
    core.close()


def _timed(work: Callable[[ComfyDeployCore], object], url: str) -> float:
    with ComfyDeployCore(bearer="k", server_url=url) as core:
        began = time.perf_counter()
        _check(work(core))
        return time.perf_counter() - began


async def _timed_async(work: Callable[[ComfyDeployCore], Awaitable[object]], url: str) -> float:
    async with ComfyDeployCore(bearer="k", server_url=url) as core:
        began = time.perf_counter()
        _check(await work(core))
        return time.perf_counter() - began


def _check(result: object) -> None:
    assert isinstance(result, Failure), result
    error: Any = result.failure()
    assert isinstance(error, RequestTimeoutError), error


def _read(core: ComfyDeployCore) -> object:
    return run_get(core, "r", _LATE)


async def _read_async(core: ComfyDeployCore) -> object:
    return await run_get_async(core, "r", _LATE)


def _upload(core: ComfyDeployCore) -> object:
    return file_upload(core, _file(), _LATE)


async def _upload_async(core: ComfyDeployCore) -> object:
    return await file_upload_async(core, _file(), _LATE)


def _follow(core: ComfyDeployCore) -> object:
    return list(unwrap(run_stream(core, samples.REQUEST, _LATE)))[-1]


async def _follow_async(core: ComfyDeployCore) -> object:
    return [item async for item in unwrap(await run_stream_async(core, samples.REQUEST, _LATE))][-1]


def _file() -> io.BytesIO:
    file = io.BytesIO(bytes(50_000_000))
    file.name = "a.png"
    return file


@contextmanager
def _trickle(at_once: bytes, more: bytes) -> Iterator[str]:
    """Serve some bytes at once and then one more every 20 ms; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, at_once, more), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def _accept(listening: socket.socket, at_once: bytes, more: bytes) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_send, args=(connection, at_once, more), daemon=True).start()


def _send(connection: socket.socket, at_once: bytes, more: bytes) -> None:
    with suppress(OSError), connection:
        connection.recv(65536)
        connection.sendall(at_once)
        while True:
            time.sleep(0.02)
            connection.sendall(more)


def _memory() -> int:
    return 1024 * int(re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[0])


if __name__ == "__main__":
    asyncio.run(_wait_often(sys.argv[1]))
