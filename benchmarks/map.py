"""Maps of many runs, compared with a loop by hand: their memory, the time to resume them, and the cost of waiting.

Each contender works in its own process, and so does the server. The loop by hand is the usual one: a task for
each run, a semaphore, httpx; it has no keys and no journal.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from itertools import count, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import httpx
from attrs import evolve

from benchmarks import samples
from benchmarks.emulator import serving
from benchmarks.loopback import whole
from benchmarks.table import Section, Target
from comfydeploy import ComfyDeployCore, Success
from comfydeploy.funcs.run_map import run_map, run_map_async
from comfydeploy.hooks import HookContext, Hooks, Request
from comfydeploy.mapping import grid

AT_ONCE: Final = 20
_WAITED: Final = 1000
_WAIT: Final = 60.0
_JOURNAL: Final = "map.sqlite"
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_LIMIT: Final = re.compile(rb"limit=(\d+)")
_RUN_ID: Final = b"0b6f3a52-8a1d-4c1e-9d0f-%012d"
_RUN: Final = samples.run(outputs=0)
_ROW: Final = b'{"id":"%b","status":"success","created_at":"2026-03-14T09:26:53.589Z","workflow_id":"w"}'


def sections(*, quick: bool) -> Iterator[Section]:
    """Run many jobs, resume them, and wait for many."""
    jobs, rounds = (500, 1) if quick else (10_000, 3)
    taken: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, figures in taken.items():
            figures.append(_timed(name, jobs) / jobs)
    targets = [
        Target(f"{jobs:,} jobs, {kind} / by hand: {colour}", f"{colour}, {kind}", at_most=most)
        for kind, most in (("without a journal", 1.5), ("with a journal", 2.0))
        for colour in ("run_map_async", "run_map")
    ]
    yield Section(f"{jobs:,} jobs, {AT_ONCE} at once: queued, waited for, saved; each", "ms", taken, targets)
    yield from _large(*((200, 2_000) if quick else (1_000, 100_000)))
    yield from _waiting(10.0 if quick else _WAIT)


def _timed(name: str, jobs: int) -> float:
    with serving(pace=0) as server, tempfile.TemporaryDirectory() as folder:
        return _measured(name, f"{server.url} {server.bearer} {server.deployment_id}", folder, jobs)["seconds"]


def _large(few: int, many: int) -> Iterator[Section]:
    """Measure maps of very many jobs against a server that costs next to nothing."""
    with _answering() as url, tempfile.TemporaryDirectory() as folder:
        service = f"{url} k {samples.REQUEST['deployment_id']}"
        found = _measured("growth", service, folder, many, few)
        resumed = _measured("resumed", service, folder, many)
    name = f"from {few:,} to {many:,} jobs, with a journal"
    target = Target(f"MB of memory {name}", name, at_most=20, of="figure")
    yield Section("Growth of memory", "MB", {name: [found["growth"]]}, [target])
    name = f"a finished journal of {many:,} jobs"
    target = Target(f"seconds to resume {name}", name, at_most=10, of="figure")
    yield Section("All items of a map that was started again", "s", {name: [resumed["seconds"]]}, [target])


def _waiting(seconds: float) -> Iterator[Section]:
    """Count the requests while runs are waited for that do not end."""
    with serving(pace=1000) as server, tempfile.TemporaryDirectory() as folder:
        service = f"{server.url} {server.bearer} {server.deployment_id}"
        found = _measured("waiting", service, folder, _WAITED, int(seconds))
    title = f"{_WAITED:,} runs are waited for, for {seconds:g} s"
    name = "requests a second"
    target = Target(f"requests a second while {_WAITED:,} runs are waited for", name, at_most=5, of="figure")
    yield Section(title, "requests", {name: [found["requests"] / seconds]}, [target])
    name = "processor, for each second"
    target = Target(f"ms of processor a second while {_WAITED:,} runs are waited for", name, at_most=50, of="figure")
    yield Section(title, "ms", {name: [found["cpu"] / seconds]}, [target])


def _measured(name: str, service: str, folder: str, *numbers: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.map", name, *service.split(), folder, *map(str, numbers)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


async def _by_hand(core: ComfyDeployCore, url: str, requests: Any, folder: Path, _: Path | None) -> None:
    room = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {core.bearer}"}, timeout=60) as client:

        async def one(request: dict[str, Any]) -> None:
            async with room:
                queued = await client.post(f"{url}/run/queue", json=request)
                run_id = queued.raise_for_status().json()["run_id"]
                while True:
                    response = await client.get(f"{url}/run/{run_id}")
                    run = response.raise_for_status().json()
                    if run["status"] == "success":
                        break
                    await asyncio.sleep(0.25)
                file = await client.get(run["outputs"][0]["data"]["images"][0]["url"])
                (folder / f"{request['inputs']['seed']}.png").write_bytes(file.raise_for_status().content)

        await asyncio.gather(*map(one, requests))


async def _mapped_async(core: ComfyDeployCore, _: str, requests: Any, folder: Path, journal: Path | None) -> None:
    async with core, run_map_async(core, requests, journal=journal, to=folder / "{seed}.png", at_once=AT_ONCE) as items:
        async for item in items:
            assert isinstance(item.result, Success), item


async def _mapped(core: ComfyDeployCore, _: str, requests: Any, folder: Path, journal: Path | None) -> None:
    with core, run_map(core, requests, journal=journal, to=folder / "{seed}.png", at_once=AT_ONCE) as items:
        for item in items:
            assert isinstance(item.result, Success), item


CONTENDERS: Final[dict[str, tuple[Callable[..., Coroutine[Any, Any, None]], bool]]] = {
    "by hand: asyncio, a semaphore, httpx": (_by_hand, False),
    "run_map_async, without a journal": (_mapped_async, False),
    "run_map_async, with a journal": (_mapped_async, True),
    "run_map, without a journal": (_mapped, False),
    "run_map, with a journal": (_mapped, True),
}


def _grid(deployment_id: str, jobs: int) -> Any:
    inputs = {"prompt": "a lighthouse at dusk", "width": 64, "height": 64}
    return grid({"deployment_id": deployment_id, "inputs": inputs}, {"seed": range(jobs)})


def _main(name: str, url: str, bearer: str, deployment_id: str, folder: str, *numbers: str) -> dict[str, float]:
    """Work as one of the contenders and return its figures."""
    core, place, (jobs, *more) = ComfyDeployCore(bearer=bearer, server_url=url), Path(folder), map(int, numbers)
    requests = _grid(deployment_id, jobs)
    if name in CONTENDERS:
        work, has_journal = CONTENDERS[name]
        began = time.perf_counter()
        asyncio.run(work(core, url, requests, place, place / _JOURNAL if has_journal else None))
        taken = time.perf_counter() - began
        assert len(list(place.glob("*.png"))) == jobs
        return {"seconds": taken}
    if name == "waiting":
        return asyncio.run(_wait(core, requests, more[0]))
    began = time.perf_counter()
    sizes: list[int] = []
    with core, run_map(core, requests, journal=place / _JOURNAL, at_once=100, check=False) as items:
        for number, item in enumerate(items, 1):
            assert isinstance(item.result, Success), item
            if more and (number == more[0] or number == jobs):
                sizes.append(_resident())
    assert number == jobs
    return {"seconds": time.perf_counter() - began, "growth": sizes[-1] - sizes[0] if sizes else 0}


async def _wait(core: ComfyDeployCore, requests: Any, seconds: int) -> dict[str, float]:
    """Wait for runs that do not end, and return the requests and the processor time once all are created."""
    sent: Counter[str] = Counter()
    all_sent = asyncio.Event()

    def count(_: HookContext, request: Request) -> None:
        sent[request.method] += 1
        if sent["POST"] == len(requests):
            all_sent.set()

    async with (
        evolve(core, hooks=[Hooks(before_request=count)]) as counting,
        run_map_async(counting, requests, at_once=len(requests)) as items,
    ):
        reading = asyncio.ensure_future(anext(items))
        await all_sent.wait()
        await asyncio.sleep(5)  # the first searches
        before, cpu = sent["GET"], time.process_time()
        await asyncio.sleep(seconds)
        found = {"requests": float(sent["GET"] - before), "cpu": time.process_time() - cpu}
        reading.cancel()
    return found


def _resident() -> int:
    return 1024 * int(re.findall(r"VmRSS:\s*(\d+) kB", Path("/proc/self/status").read_text())[0])


class _Service(asyncio.Protocol):
    """One connection to a server on which each run succeeds at once, without outputs."""

    created: Final[deque[bytes]] = deque(maxlen=100)
    numbers: Final = count(1)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and (length is None or len(body) >= int(length[1])):
            self._received = b""
            self._transport.write(whole(self._answer(head.split(b" ", 2)[1])))

    def _answer(self, path: bytes) -> bytes:
        if path == b"/run/queue":
            run_id = _RUN_ID % next(self.numbers)
            self.created.append(run_id)
            return b'{"run_id":"%b"}' % run_id
        if path.startswith(b"/run/"):
            return _RUN.replace(samples.RUN_ID.encode(), path[5:])
        if path.startswith(b"/deployment/"):
            return b'{"id":"d","workflow_id":"w"}'
        most = int(_LIMIT.findall(path)[0])
        rows = [_ROW % run_id for run_id in islice(reversed(self.created), most)]
        return b"[%b]" % b",".join(rows)


@contextmanager
def _answering() -> Iterator[str]:
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    there.close()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(started: Connection) -> None:
    async def served() -> None:
        server = await asyncio.get_running_loop().create_server(_Service, "127.0.0.1", 0, backlog=1024)
        started.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(served())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_main(*sys.argv[1:])))
