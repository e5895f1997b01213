"""The memory of the first call, and of a very long stream.

Each contender works in its own process and reports its resident memory, as Linux counts it.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import samples
from benchmarks.loopback import Answer, loopback, repeated, whole
from benchmarks.peers import CHECKOUT, CONTENDERS, HTTPX2, OFFICIAL, RUNTIME, Environment, official_row
from benchmarks.rounds import Measure, in_turns
from benchmarks.table import Section, Target

_RESIDENT: Final = "int(open('/proc/self/statm').read().split()[1]) * __import__('resource').getpagesize()"
_BLOCK: Final = 1_000  # events between two looks


def sections(*, quick: bool) -> Iterator[Section]:
    """Call once, and read a very long stream."""
    path = f"/run/{samples.RUN_ID}"
    blocks = 100 if quick else 1_000
    stream = repeated([b"".join(samples.events(10))] * (_BLOCK // 10), blocks)
    answers: dict[str, Answer] = {f"GET {path}": whole(samples.run(outputs=3)), "POST /run/stream": stream}
    with loopback(answers) as address:
        yield _first_call(address, path, 3 if quick else 10)
        yield _long_stream(address, blocks * _BLOCK, 1 if quick else 3)


def _first_call(address: str, path: str, rounds: int) -> Section:
    bare = f"import httpx; client = httpx.Client(); client.get('{address}{path}').json()"
    settings = f"bearer='token', server_url='{address}'"
    ours = (
        "from comfydeploy.core import ComfyDeployCore; from comfydeploy.funcs.run_get import run_get; "
        f"core = ComfyDeployCore({settings}); run_get(core, '{samples.RUN_ID}').unwrap()"
    )
    theirs = (
        "from comfydeploy import ComfyDeploy; "
        f"client = ComfyDeploy({settings}); client.run.get(run_id='{samples.RUN_ID}')"
    )
    contenders = {
        "httpx: Client().get(...).json()": (RUNTIME, bare),
        "run_get": (RUNTIME, ours),
        "httpx2: Client().get(...).json()": (HTTPX2, bare.replace("httpx", "httpx2")),
        **{
            official_row(version, "ComfyDeploy(...).run.get(...)"): (environment, theirs)
            for version, environment in OFFICIAL.items()
        },
    }
    measures = {
        name: _measure(environment, f"{code}; print({_RESIDENT})") for name, (environment, code) in contenders.items()
    }
    target = Target("memory after the first call of run_get / httpx", "run_get", at_most=1.15)
    return Section("Resident memory after the first call", "MB", in_turns(measures, rounds), [target])


def _long_stream(address: str, events: int, rounds: int) -> Section:
    reading = (
        "sizes = []\n"
        "for number, event in enumerate(events):\n"
        "    read(event)\n"
        f"    if number % {_BLOCK} == 0: sizes.append({_RESIDENT})\n"
        f"assert number == {events - 1}, number\n"
        "print(max(sizes) - sizes[len(sizes) // 20])\n"  # the first ones fill caches
    )
    contenders = {
        "httpx-sse and json.loads": (
            CONTENDERS,
            "import httpx, httpx_sse, json\n"
            f"with httpx.stream('POST', '{address}/run/stream', json={{}}, timeout=60) as response:\n"
            "    events, read = httpx_sse.EventSource(response).iter_sse(), lambda event: json.loads(event.data)\n"
            + "".join(f"    {line}\n" for line in reading.splitlines()),
        ),
        "run_stream": (
            CONTENDERS,
            "from comfydeploy.core import ComfyDeployCore\n"
            "from comfydeploy.funcs.run_stream import run_stream\n"
            f"core = ComfyDeployCore(bearer='token', server_url='{address}')\n"
            f"events = run_stream(core, {samples.REQUEST!r}).unwrap()\n"
            "read = lambda event: event.unwrap()\n" + reading,
        ),
    }
    measures = {name: _measure(environment, code) for name, (environment, code) in contenders.items()}
    target = Target(f"MB of memory that {events:,} events add", "run_stream", at_most=2, of="figure")
    return Section(f"Growth of memory over {events:,} events", "MB", in_turns(measures, rounds), [target])


def _measure(environment: Environment, code: str) -> Measure:
    # Started outside of the checkout, where the name of the official SDK is this package.
    folder: Path = environment.folder if environment in OFFICIAL.values() else CHECKOUT
    command: list[str | Path] = [environment.python(), "-E", "-s", "-c", code]
    return lambda: float(subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout)
