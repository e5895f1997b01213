"""The speed of a stream of typed events, compared with httpx-sse with ``json.loads``, and with its bare bytes."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from time import process_time
from typing import Any, Final

import httpx

from benchmarks import samples
from benchmarks.loopback import loopback, streamed
from benchmarks.parsers import OWN, SPEED, reading_by
from benchmarks.peers import official
from benchmarks.rounds import each, in_turns
from benchmarks.table import Section, Target
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_stream import run_stream
from comfydeploy.options import RequestOptions

_MANY: Final = 20_000
_FEW: Final = 500  # for the official SDK, which searches every byte separately ...
_SPEED: Final = "run_stream with comfydeploy[speed]"
_MIB: Final = 1024 * 1024
_SMALL: Final = 64 * 1024  # ... and all of an unfinished event again with each chunk


def sections(*, quick: bool) -> Iterator[Section]:
    """Read many small events, and big ones in small chunks."""
    many_events = [*samples.events(_MANY)]
    answered = {
        "many": streamed(_tens(many_events)),
        "single": streamed(many_events),
        "bytes": streamed(_bytes_of(many_events[:_FEW])),
        "few": streamed(_tens([*samples.events(_FEW)])),
        **{str(size): streamed(_kilobytes(samples.big_event(size))) for size in (_SMALL, 10 * _MIB, 40 * _MIB)},
    }
    answers = {
        f"POST /{name}{path}": answer
        for name, answer in answered.items()
        for path in ("/run/stream", "/run/deployment/stream")
    }
    with (
        loopback(answers) as address,
        official(address, ["0.6.3"], clock="cpu") as sdk,  # the later one has no streams
        httpx.Client() as client,
        ComfyDeployCore(bearer=samples.TOKEN) as core,
    ):
        many, single, in_bytes, few, small, big, bigger = (f"{address}/{name}" for name in answered)
        for server, events, title, least, fast in (
            (many, _MANY, "ten a chunk", 1.5, 1.9),
            (single, _MANY, "one a chunk", 1.3, 3.5),
            (in_bytes, _FEW, "in chunks of one byte", 1.2, 10),
        ):
            contenders = {
                "httpx-sse and json.loads": each(partial(_sse, client, server), 1, events, clock=process_time),
                "run_stream": reading_by(OWN, each(partial(_typed, core, server), 1, events, clock=process_time)),
                _SPEED: reading_by(SPEED, each(partial(_typed, core, server), 1, events, clock=process_time)),
                "httpx: bytes": each(partial(_bytes, client, server), 1, events, clock=process_time),
            }
            if server == many:
                contenders |= sdk(
                    "deployment.stream", 1, _FEW, what=f"{_FEW} events", request=samples.REQUEST, server_url=few
                )
            targets = [
                Target(f"typed events / httpx-sse and json.loads: {title}, by CPU", "run_stream", at_least=least),
                Target("the same with comfydeploy[speed]", _SPEED, at_least=fast),
            ]
            taken = in_turns(contenders, 3 if quick else 15)
            yield Section(f"{events:,} small events, {title}, by CPU", "events/s", taken, targets)
        contenders = {
            "httpx: bytes and one json.loads": each(partial(_one, client, big), 1),
            "run_stream": reading_by(OWN, each(partial(_typed, core, big), 1)),
            "httpx-sse and json.loads": each(partial(_sse, client, big), 1),
        }
        target = Target("an event of 10 MiB / its bytes and one json.loads", "run_stream", at_most=1.5)
        taken = in_turns(contenders, 2 if quick else 10)
        yield Section("One event of 10 MiB in chunks of 1 KiB", "ms", taken, [target])
        contenders = {
            # By CPU, because the server takes more than four times as long to send four times as much.
            "run_stream: 10 MiB": each(partial(_typed, core, big), 1, clock=process_time),
            "run_stream: 40 MiB": each(partial(_typed, core, bigger), 1, clock=process_time),
        }
        target = Target("an event of 40 MiB / one of 10 MiB, by CPU", "run_stream: 40 MiB", at_most=4.4)
        taken = in_turns(contenders, 2 if quick else 10)
        yield Section("Growth with the size of an event, by CPU", "ms", taken, [target])
        contenders = {
            "httpx: bytes and one json.loads": each(partial(_one, client, small), 1),
            "run_stream": each(partial(_typed, core, small), 1),
            **sdk("deployment.stream", 1, request=samples.REQUEST, server_url=small),
        }
        yield Section("One event of 64 KiB in chunks of 1 KiB", "ms", in_turns(contenders, 5 if quick else 15))


def _tens(events: Sequence[bytes]) -> Iterator[bytes]:
    return (b"".join(events[start : start + 10]) for start in range(0, len(events), 10))


def _bytes_of(events: Sequence[bytes]) -> Iterator[bytes]:
    return (bytes([byte]) for event in events for byte in event)


def _kilobytes(event: bytes) -> Iterator[bytes]:
    return (event[start : start + 1024] for start in range(0, len(event), 1024))


def _typed(core: ComfyDeployCore, server: str) -> None:
    with run_stream(core, samples.REQUEST, RequestOptions(server_url=server)).unwrap() as stream:
        for item in stream:
            item.unwrap()


def _sse(client: httpx.Client, server: str) -> None:
    # By name, because it is not installed where this file is checked.
    source: Any = import_module("httpx_sse").EventSource
    with _answer(client, server) as response:
        for event in source(response).iter_sse():
            json.loads(event.data)


def _bytes(client: httpx.Client, server: str) -> None:
    with _answer(client, server) as response:
        for _ in response.iter_bytes():
            pass


def _one(client: httpx.Client, server: str) -> None:
    with _answer(client, server) as response:
        json.loads(response.read().partition(b"data: ")[2])


def _answer(client: httpx.Client, server: str) -> AbstractContextManager[httpx.Response]:
    headers = {"authorization": f"Bearer {samples.TOKEN}"}
    return client.stream("POST", f"{server}/run/stream", headers=headers, json=samples.REQUEST)
