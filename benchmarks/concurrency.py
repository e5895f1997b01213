"""The rate of calls when many are made at once, compared with bare httpx, httpx2 and aiohttp."""

import asyncio
from asyncio import Runner
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from importlib import import_module
from time import perf_counter, process_time
from typing import Any, Final, TypeAlias

import httpx
import httpx2

from benchmarks import samples
from benchmarks.loopback import loopback, whole
from benchmarks.parsers import OWN, SPEED, reading_by
from benchmarks.peers import official
from benchmarks.rounds import Measure, in_turns
from benchmarks.table import Section, Target
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_get import run_get_async
from comfydeploy.funcs.run_queue import run_queue_async

_Client: TypeAlias = type[httpx.AsyncClient] | type[httpx2.AsyncClient]

_SECONDS: Final = 0.2
_IN_FLIGHT: Final = 100
_SPEED: Final = "run_queue_async with comfydeploy[speed]"
_HEADERS: Final = {"authorization": f"Bearer {samples.TOKEN}"}
_GET: Final = f"/run/{samples.RUN_ID}"
_QUEUE: Final = "/run/queue"
_QUEUE_DEPLOYMENT: Final = "/run/deployment/queue"


def sections(*, quick: bool) -> Iterator[Section]:
    """Read many runs at once from a slow server, and queue many with some in flight."""
    many = 500 if quick else 2_000
    with Runner() as runner:
        with loopback({f"GET {_GET}": whole(samples.run(outputs=3))}, delay=_SECONDS) as address:
            yield from _at_once(runner, address, many, 2 if quick else 5)
            yield _failures(runner, address, many, with_bare=not quick)
        answer = whole(samples.QUEUED)
        with loopback({f"POST {path}": answer for path in (_QUEUE, _QUEUE_DEPLOYMENT)}) as address:
            yield from _in_flight(runner, address, 1_000 if quick else 10_000, 3)


def _at_once(runner: Runner, address: str, many: int, rounds: int) -> Iterator[Section]:
    contenders = {
        "aiohttp: session.get": _seconds(runner, partial(_aiohttp_runs, address, many)),
        "run_get_async": reading_by(OWN, _seconds(runner, partial(_runs, address, many))),
    }
    target = Target(f"{many:,} run_get_async at once / aiohttp", "run_get_async", at_most=1.2)
    yield Section(f"{many:,} at once, answered after {_SECONDS} s", "s", in_turns(contenders, rounds), [target])


def _failures(runner: Runner, address: str, many: int, *, with_bare: bool) -> Section:
    contenders: dict[str, Callable[[], Awaitable[list[object]]]] = {
        "run_get_async": partial(_runs, address, many),
    }
    if with_bare:  # which takes minutes
        contenders["httpx: client.get"] = partial(_bare_runs, httpx.AsyncClient, address, many)
        contenders["httpx2: client.get"] = partial(_bare_runs, httpx2.AsyncClient, address, many)
    counts = {name: [_failed(runner, work)] for name, work in contenders.items()}
    target = Target(f"failures of {many:,} run_get_async at once", "run_get_async", at_most=0, of="figure")
    return Section(f"Failures of {many:,} at once", "failures", counts, [target])


def _in_flight(runner: Runner, address: str, calls: int, rounds: int) -> Iterator[Section]:
    fewer = calls // 10  # for the official SDK, which takes so much longer
    with official(address) as sdk:
        contenders = {
            "httpx: client.post, semaphore": _seconds(
                runner, partial(_bare_queued, httpx.AsyncClient, address, calls), calls
            ),
            "run_queue_async": reading_by(OWN, _seconds(runner, partial(_queued, address, calls), calls)),
            _SPEED: reading_by(SPEED, _seconds(runner, partial(_queued, address, calls), calls)),
            "httpx2: client.post, semaphore": _seconds(
                runner, partial(_bare_queued, httpx2.AsyncClient, address, calls), calls
            ),
            "aiohttp: session.post, semaphore": _seconds(runner, partial(_aiohttp_queued, address, calls), calls),
            **sdk(
                "deployment.queue_async",
                fewer,
                at_once=_IN_FLIGHT,
                what=f"{fewer:,} calls",
                request=samples.REQUEST,
            ),
        }
        targets = [
            Target(f"run_queue_async, {_IN_FLIGHT} in flight / httpx", "run_queue_async", at_least=7),
            Target("the same with comfydeploy[speed]", _SPEED, at_least=11),
        ]
        yield Section(f"{calls:,} calls, {_IN_FLIGHT} in flight", "calls/s", in_turns(contenders, rounds), targets)
    taken = partial(_seconds, runner, pieces=calls, clock=process_time)
    contenders = {
        "aiohttp: session.post, semaphore": taken(partial(_aiohttp_queued, address, calls)),
        "run_queue_async": reading_by(OWN, taken(partial(_queued, address, calls))),
        _SPEED: reading_by(SPEED, taken(partial(_queued, address, calls))),
    }
    targets = [
        Target(f"run_queue_async, {_IN_FLIGHT} in flight / aiohttp, CPU", "run_queue_async", at_most=3),
        Target("the same with comfydeploy[speed]", _SPEED, at_most=2),
    ]
    yield Section(
        f"{calls:,} calls, {_IN_FLIGHT} in flight: CPU of a call", "us", in_turns(contenders, rounds), targets
    )


def _seconds(
    runner: Runner,
    work: Callable[[], Awaitable[object]],
    pieces: int = 1,
    *,
    clock: Callable[[], float] = perf_counter,
) -> Measure:
    async def measure() -> float:
        begin = clock()
        await work()
        return (clock() - begin) / pieces

    return lambda: runner.run(measure())


def _failed(runner: Runner, work: Callable[[], Awaitable[list[object]]]) -> float:
    async def count() -> int:
        return sum(isinstance(result, Exception) for result in await work())

    return runner.run(count())


async def _runs(address: str, many: int) -> list[object]:
    async with ComfyDeployCore(bearer=samples.TOKEN, server_url=address) as core:

        async def get() -> object:
            return (await run_get_async(core, samples.RUN_ID)).unwrap()

        return await _all(get, many)


async def _bare_runs(make: _Client, address: str, many: int) -> list[object]:
    async with make() as client:

        async def get() -> object:
            return (await client.get(address + _GET, headers=_HEADERS)).json()

        return await _all(get, many)


async def _aiohttp_runs(address: str, many: int) -> list[object]:
    async with _session() as session:

        async def get() -> object:
            async with session.get(address + _GET, headers=_HEADERS) as response:
                return await response.json()

        return await _all(get, many)


async def _queued(address: str, calls: int) -> list[object]:
    async with ComfyDeployCore(bearer=samples.TOKEN, server_url=address) as core:

        async def queue() -> object:
            return (await run_queue_async(core, samples.REQUEST)).unwrap()

        return await _all(queue, calls, asyncio.Semaphore(_IN_FLIGHT))


async def _bare_queued(make: _Client, address: str, calls: int) -> list[object]:
    async with make() as client:

        async def queue() -> object:
            return (await client.post(address + _QUEUE, headers=_HEADERS, json=samples.REQUEST)).json()

        return await _all(queue, calls, asyncio.Semaphore(_IN_FLIGHT))


async def _aiohttp_queued(address: str, calls: int) -> list[object]:
    async with _session() as session:

        async def queue() -> object:
            async with session.post(address + _QUEUE, headers=_HEADERS, json=samples.REQUEST) as response:
                return await response.json()

        return await _all(queue, calls, asyncio.Semaphore(_IN_FLIGHT))


async def _all(
    work: Callable[[], Awaitable[object]], times: int, limit: asyncio.Semaphore | None = None
) -> list[object]:
    async def one() -> object:
        if limit is None:
            return await work()
        async with limit:
            return await work()

    return await asyncio.gather(*(one() for _ in range(times)), return_exceptions=True)


def _session() -> Any:
    # By name, because it is not installed everywhere where this file is checked.
    return import_module("aiohttp").ClientSession()
