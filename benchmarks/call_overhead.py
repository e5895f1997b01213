"""The CPU of a call, beside that of other clients, on a kept connection."""

import http.client
import json
import os
import ssl
from asyncio import Runner
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from time import process_time
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import httpx2

from benchmarks import samples
from benchmarks.loopback import CERTIFICATE, Answer, loopback, whole
from benchmarks.parsers import OWN, SPEED, reading_by
from benchmarks.peers import official
from benchmarks.rounds import Measure, each, each_awaited, in_turns
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
_BODY: Final = json.dumps(samples.REQUEST).encode()
_QUICK: Final = " with comfydeploy[speed]"

_each: Final = partial(each, clock=process_time)
_each_awaited: Final = partial(each_awaited, clock=process_time)


def sections(*, quick: bool) -> Iterator[Section]:
    """Read and queue a run, blocking and awaited; read one over TLS."""
    rounds = 7 if quick else 40
    answers: dict[str, Answer] = {
        f"GET {_GET}": whole(samples.run(outputs=3)),
        f"POST {_QUEUE}": whole(samples.QUEUED),
        f"POST {_QUEUE_DEPLOYMENT}": whole(samples.QUEUED),
    }
    with loopback(answers) as address:
        yield from _blocking(address, rounds)
        yield from _awaited(address, rounds)
    # What httpx and the client read when they make their contexts.
    os.environ["SSL_CERT_FILE"] = str(CERTIFICATE)
    with loopback(answers, is_secure=True) as address:
        yield from _secure(address, rounds)


def _blocking(address: str, rounds: int) -> Iterator[Section]:
    with ExitStack() as exits, official(address, clock="cpu") as sdk:
        get, queue = _contenders(exits, address)
        get |= sdk("get", _FEWER, run_id=samples.RUN_ID)
        queue |= sdk("deployment.queue", _FEWER, request=samples.REQUEST)
        targets = [
            Target("run_get / httpx.Client.get(...).json(), CPU", "run_get", at_most=0.85),
            Target("the same with comfydeploy[speed]", f"run_get{_QUICK}", at_most=0.65),
        ]
        yield Section("Read a run, CPU", "us", in_turns(get, rounds), targets)
        targets = [
            Target("run_queue / httpx.Client.post(...).json(), CPU", "run_queue", at_most=0.75),
            Target("the same with comfydeploy[speed]", f"run_queue{_QUICK}", at_most=0.52),
        ]
        yield Section("Queue a run, CPU", "us", in_turns(queue, rounds), targets)


def _secure(address: str, rounds: int) -> Iterator[Section]:
    with ExitStack() as exits:
        get, _ = _contenders(exits, address)
        targets = [
            Target("run_get / httpx.Client.get(...).json() over https, CPU", "run_get", at_most=0.85),
            Target("the same with comfydeploy[speed]", f"run_get{_QUICK}", at_most=0.65),
        ]
        yield Section("Read a run over https, CPU", "us", in_turns(get, rounds), targets)


def _contenders(exits: ExitStack, address: str) -> tuple[dict[str, Measure], dict[str, Measure]]:
    """Return the measures of reading and of queueing by each blocking client, closed with the exits."""
    get: dict[str, Measure] = {}
    queue: dict[str, Measure] = {}
    for library in (httpx, httpx2):
        client = exits.enter_context(library.Client(**_settings(library)))
        name = library.__name__
        get[f"{name}: client.get(...).json()"] = _each(partial(_got, client, address), _TIMES)
        queue[f"{name}: client.post(...).json()"] = _each(partial(_posted, client, address), _TIMES)
        core = exits.enter_context(ComfyDeployCore(bearer=samples.TOKEN, server_url=address))
        for parsers, extra in ((OWN, ""), (SPEED, _QUICK)) if library is httpx else ():
            get[f"run_get{extra}"] = reading_by(parsers, _each(partial(_read, core), _TIMES))
            queue[f"run_queue{extra}"] = reading_by(parsers, _each(partial(_queued, core), _TIMES))
    for name, send in (("urllib3", _urllib3(address)), ("http.client", _http_client(exits, address))):
        get[name] = _each(partial(send, "GET", _GET), _TIMES)
        queue[name] = _each(partial(send, "POST", _QUEUE, _BODY), _TIMES)
    return get, queue


def _got(client: Any, address: str) -> object:
    return client.get(address + _GET, headers=_HEADERS).json()


def _posted(client: Any, address: str) -> object:
    return client.post(address + _QUEUE, headers=_HEADERS, json=samples.REQUEST).json()


def _read(core: ComfyDeployCore) -> object:
    return run_get(core, samples.RUN_ID).unwrap()


def _queued(core: ComfyDeployCore) -> object:
    return run_queue(core, samples.REQUEST).unwrap()


def _urllib3(address: str) -> Callable[..., object]:
    # By name, because it is not installed where this file is checked.
    manager = import_module("urllib3").PoolManager(ssl_context=_context())

    def send(method: str, path: str, body: bytes | None = None) -> object:
        return manager.request(method, address + path, body=body, headers=_headers(body)).json()

    return send


def _http_client(exits: ExitStack, address: str) -> Callable[..., object]:
    server = urlsplit(address)
    assert server.hostname is not None
    connection = (
        http.client.HTTPSConnection(server.hostname, server.port, context=_context())
        if server.scheme == "https"
        else http.client.HTTPConnection(server.hostname, server.port)
    )
    exits.callback(connection.close)

    def send(method: str, path: str, body: bytes | None = None) -> object:
        connection.request(method, path, body, _headers(body))
        return json.loads(connection.getresponse().read())

    return send


def _headers(body: bytes | None) -> Mapping[str, str]:
    return _HEADERS if body is None else {**_HEADERS, "content-type": "application/json"}


def _context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=CERTIFICATE)


def _awaited(address: str, rounds: int) -> Iterator[Section]:
    with Runner() as runner, official(address, clock="cpu") as sdk:
        get: dict[str, Measure] = {}
        queue: dict[str, Measure] = {}
        closing: list[Callable[[], Any]] = []
        for library in (httpx, httpx2):
            client = library.AsyncClient(**_settings(library))
            closing.append(client.aclose)
            get[f"{library.__name__}: await client.get(...)"] = _each_awaited(
                runner, partial(_got_async, client, address), _TIMES
            )
            queue[f"{library.__name__}: await client.post(...)"] = _each_awaited(
                runner, partial(_posted_async, client, address), _TIMES
            )
            core = ComfyDeployCore(bearer=samples.TOKEN, server_url=address)
            closing.append(core.aclose)
            for parsers, extra in ((OWN, ""), (SPEED, _QUICK)) if library is httpx else ():
                get[f"run_get_async{extra}"] = reading_by(
                    parsers, _each_awaited(runner, partial(run_get_async, core, samples.RUN_ID), _TIMES)
                )
                queue[f"run_queue_async{extra}"] = reading_by(
                    parsers, _each_awaited(runner, partial(run_queue_async, core, samples.REQUEST), _TIMES)
                )
        session = runner.run(_session())
        closing.append(session.close)
        get["aiohttp: session.get"] = _each_awaited(runner, partial(_aiohttp, session.get, address + _GET), _TIMES)
        queue["aiohttp: session.post"] = _each_awaited(
            runner, partial(_aiohttp, session.post, address + _QUEUE, json=samples.REQUEST), _TIMES
        )
        get |= sdk("get_async", _FEWER, run_id=samples.RUN_ID)
        queue |= sdk("deployment.queue_async", _FEWER, request=samples.REQUEST)
        targets = [
            Target("run_get_async / httpx.AsyncClient.get, CPU", "run_get_async", at_most=0.5),
            Target("the same with comfydeploy[speed]", f"run_get_async{_QUICK}", at_most=0.38),
        ]
        yield Section("Read a run, awaited, CPU", "us", in_turns(get, rounds), targets)
        targets = [Target("run_queue_async / httpx.AsyncClient.post, CPU", "run_queue_async", at_most=0.5)]
        yield Section("Queue a run, awaited, CPU", "us", in_turns(queue, rounds), targets)
        for close in closing:
            runner.run(close())


async def _got_async(client: Any, address: str) -> object:
    return (await client.get(address + _GET, headers=_HEADERS)).json()


async def _posted_async(client: Any, address: str) -> object:
    return (await client.post(address + _QUEUE, headers=_HEADERS, json=samples.REQUEST)).json()


async def _aiohttp(send: Any, url: str, **given: Any) -> object:
    async with send(url, headers=_HEADERS, **given) as response:
        return await response.json()


async def _session() -> Any:
    # By name, because it is not installed everywhere where this file is checked.
    return import_module("aiohttp").ClientSession()


def _settings(library: Any) -> dict[str, Any]:
    """Return the arguments of the clients of a core."""
    limits = library.Limits(max_connections=100, max_keepalive_connections=100)
    return {"limits": limits, "timeout": library.Timeout(60)}
