"""The duration of a call, compared with a bare one of httpx and of httpx2, on a kept connection."""

from asyncio import Runner
from collections.abc import Iterator
from typing import Any, Final

import httpx
import httpx2

from benchmarks import samples
from benchmarks.loopback import loopback, whole
from benchmarks.peers import Officials, official
from benchmarks.rounds import each, each_awaited, in_turns
from benchmarks.table import Section, Target
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue, run_queue_async

_TIMES: Final = 100
_FEWER: Final = 20  # for the official SDK, which takes so much longer
_HEADERS: Final = {"authorization": f"Bearer {samples.TOKEN}"}
_GET: Final = f"/run/{samples.RUN_ID}"
_QUEUE: Final = "/run/queue"
_QUEUE_DEPLOYMENT: Final = "/run/deployment/queue"  # the official SDK warns of its run.queue, and this is faster


def sections(*, quick: bool) -> Iterator[Section]:
    """Read and queue a run, blocking and awaited."""
    rounds = 7 if quick else 40
    answers = {
        f"GET {_GET}": whole(samples.run(outputs=3)),
        f"POST {_QUEUE}": whole(samples.QUEUED),
        f"POST {_QUEUE_DEPLOYMENT}": whole(samples.QUEUED),
    }
    with loopback(answers) as address, official(address) as sdk:
        yield from _blocking(address, sdk, rounds)
        yield from _awaited(address, sdk, rounds)


def _blocking(address: str, sdk: Officials, rounds: int) -> Iterator[Section]:
    with (
        httpx.Client(**_settings(httpx)) as client,
        httpx2.Client(**_settings(httpx2)) as client2,
        ComfyDeployCore(bearer=samples.TOKEN, server_url=address) as core,
    ):
        get = {
            "httpx: client.get(...).json()": each(lambda: client.get(address + _GET, headers=_HEADERS).json(), _TIMES),
            "run_get": each(lambda: run_get(core, samples.RUN_ID).unwrap(), _TIMES),
            "httpx2: client.get(...).json()": each(
                lambda: client2.get(address + _GET, headers=_HEADERS).json(), _TIMES
            ),
            **sdk("get", _FEWER, run_id=samples.RUN_ID),
        }
        target = Target("run_get / httpx.Client.get(...).json()", "run_get", at_most=1)
        yield Section("Read a run", "us", in_turns(get, rounds), [target])
        queue = {
            "httpx: client.post(...).json()": each(
                lambda: client.post(address + _QUEUE, headers=_HEADERS, json=samples.REQUEST).json(), _TIMES
            ),
            "run_queue": each(lambda: run_queue(core, samples.REQUEST).unwrap(), _TIMES),
            "httpx2: client.post(...).json()": each(
                lambda: client2.post(address + _QUEUE, headers=_HEADERS, json=samples.REQUEST).json(), _TIMES
            ),
            **sdk("deployment.queue", _FEWER, request=samples.REQUEST),
        }
        target = Target("run_queue / httpx.Client.post(...).json()", "run_queue", at_most=1)
        yield Section("Queue a run", "us", in_turns(queue, rounds), [target])


def _awaited(address: str, sdk: Officials, rounds: int) -> Iterator[Section]:
    client = httpx.AsyncClient(**_settings(httpx))
    client2 = httpx2.AsyncClient(**_settings(httpx2))
    core = ComfyDeployCore(bearer=samples.TOKEN, server_url=address)

    async def bare_get() -> object:
        return (await client.get(address + _GET, headers=_HEADERS)).json()

    async def bare_get2() -> object:
        return (await client2.get(address + _GET, headers=_HEADERS)).json()

    async def own_get() -> object:
        return (await run_get_async(core, samples.RUN_ID)).unwrap()

    async def bare_queue() -> object:
        return (await client.post(address + _QUEUE, headers=_HEADERS, json=samples.REQUEST)).json()

    async def bare_queue2() -> object:
        return (await client2.post(address + _QUEUE, headers=_HEADERS, json=samples.REQUEST)).json()

    async def own_queue() -> object:
        return (await run_queue_async(core, samples.REQUEST)).unwrap()

    with Runner() as runner:
        get = {
            "httpx: await client.get(...)": each_awaited(runner, bare_get, _TIMES),
            "run_get_async": each_awaited(runner, own_get, _TIMES),
            "httpx2: await client.get(...)": each_awaited(runner, bare_get2, _TIMES),
            **sdk("get_async", _FEWER, run_id=samples.RUN_ID),
        }
        target = Target("run_get_async / httpx.AsyncClient.get", "run_get_async", at_most=1.05)
        yield Section("Read a run, awaited", "us", in_turns(get, rounds), [target])
        queue = {
            "httpx: await client.post(...)": each_awaited(runner, bare_queue, _TIMES),
            "run_queue_async": each_awaited(runner, own_queue, _TIMES),
            "httpx2: await client.post(...)": each_awaited(runner, bare_queue2, _TIMES),
            **sdk("deployment.queue_async", _FEWER, request=samples.REQUEST),
        }
        target = Target("run_queue_async / httpx.AsyncClient.post", "run_queue_async", at_most=1.05)
        yield Section("Queue a run, awaited", "us", in_turns(queue, rounds), [target])
        runner.run(client.aclose())
        runner.run(client2.aclose())
        runner.run(core.aclose())


def _settings(library: Any) -> dict[str, Any]:
    """Return the arguments of the clients of a core."""
    limits = library.Limits(max_connections=100, max_keepalive_connections=100)
    return {"limits": limits, "timeout": library.Timeout(60)}
