"""How much memory the first call takes beside a bare one of httpx, and how much more a long stream does.

Each contender works in a process of its own and tells how much of it is resident.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks import samples
from benchmarks.loopback import loopback, streamed, whole
from benchmarks.peers import CHECKOUT, CONTENDERS, OFFICIAL, RUNTIME, Environment
from benchmarks.rounds import Measure, in_turns
from benchmarks.stream import tens
from benchmarks.table import Section

_RESIDENT = """
import resource
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
"""
_STREAM = """
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_stream import run_stream
from comfydeploy.options import RequestOptions
core = ComfyDeployCore(bearer="token")
def read(server):
    for item in run_stream(core, {"deployment_id": "d"}, RequestOptions(server_url=server)).unwrap():
        item.unwrap()
"""
_SSE = """
import json, httpx, httpx_sse
client = httpx.Client()
def read(server):
    with client.stream("POST", server + "/run/stream") as response:
        for event in httpx_sse.EventSource(response).iter_sse():
            json.loads(event.data)
"""


def sections(*, quick: bool) -> Iterator[Section]:
    """Start processes that call once; then some that read a stream, a short one first."""
    many = 100_000 if quick else 1_000_000
    answers = {
        f"GET /run/{samples.RUN_ID}": whole(samples.run(outputs=3)),
        "POST /few/run/stream": streamed(tens(samples.events(10_000))),
        "POST /many/run/stream": streamed(tens(samples.events(many))),
    }
    with loopback(answers) as address:
        run = f"'{address}/run/{samples.RUN_ID}'"
        contenders = {
            "httpx: Client().get(...).json()": _told(RUNTIME, f"import httpx; httpx.Client().get({run}).json()"),
            "run_get": _told(
                RUNTIME,
                "from comfydeploy.core import ComfyDeployCore; from comfydeploy.funcs.run_get import run_get; "
                f"run_get(ComfyDeployCore(bearer='token', server_url='{address}'), '{samples.RUN_ID}').unwrap()",
            ),
            "official SDK: ComfyDeploy(...).run.get(...)": _told(
                OFFICIAL,
                "from comfydeploy import ComfyDeploy; "
                f"ComfyDeploy(bearer='token', server_url='{address}').run.get(run_id='{samples.RUN_ID}')",
            ),
        }
        yield Section("Resident after the first call", "MB", in_turns(contenders, 3 if quick else 10))
        reading = f"read('{address}/few'); before = resident(); read('{address}/many')"
        contenders = {
            name: _told(CONTENDERS, f"{code}\n{reading}", "resident() - before")
            for name, code in (("httpx-sse and json.loads", _SSE), ("run_stream", _STREAM))
        }
        yield Section(f"Growth over {many:,} events", "MB", in_turns(contenders, 2 if quick else 3))


def _told(environment: Environment, statements: str, told: str = "resident()") -> Measure:
    # -E: a variable such as PYTHONDONTWRITEBYTECODE would let the checkout compile its modules in every process.
    code = "\n".join([_RESIDENT, statements, f"print({told})"])
    command: list[str | Path] = [environment.python(), "-E", "-s", "-c", code]
    folder = environment.folder if environment is OFFICIAL else CHECKOUT  # in which the name means another package
    return lambda: float(subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout)
