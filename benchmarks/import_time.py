"""The time to import the client, and until its first response, compared with httpx, httpx2 and the official SDK."""

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks import samples
from benchmarks.loopback import CERTIFICATE, Answer, loopback, whole
from benchmarks.peers import CHECKOUT, HTTPX2, OFFICIAL, RUNTIME, RUNTIME_SPEED, Environment, official_row
from benchmarks.rounds import Measure, each, in_turns
from benchmarks.table import Section, Target

_PATH: Final = f"/run/{samples.RUN_ID}"
_FIRST_SPEED: Final = "run_get with comfydeploy[speed]"
_RAISING: Final = "client.run.get"
_IMPORT: Final = "from comfydeploy.funcs.run_queue import run_queue"


def sections(*, quick: bool) -> Iterator[Section]:
    """Start processes that import; then some that also call, so that deferred imports are measured too."""
    bare = "pass"
    ours = (
        "import httpx",
        bare,
        _IMPORT,
        "from comfydeploy.funcs.run_get import run_get",
        "import comfydeploy",
    )
    contenders = {statement: _here(statement) for statement in ours}
    contenders["import httpx2"] = _there(HTTPX2, "import httpx2")
    contenders |= _official("import ComfyDeploy", "from comfydeploy import ComfyDeploy")
    taken = in_turns(contenders, 5 if quick else 30)
    yield Section("Start and import", "ms", taken)
    start = taken.pop(bare)
    alone = {name: [own - less for own, less in zip(times, start, strict=True)] for name, times in taken.items()}
    target = Target("import of run_queue / import httpx", _IMPORT, at_most=0.8)
    yield Section("Import alone: less the bare interpreter", "ms", alone, [target])
    answers: dict[str, Answer] = {f"GET {_PATH}": whole(samples.run(outputs=3))}
    # What httpx and the client read when they make their contexts: all authorities, which takes its time, and ours.
    authorities = Path(import_module("certifi").where()).read_bytes()
    bundle = CHECKOUT / ".cache" / "benchmarks" / "authorities.pem"
    bundle.write_bytes(authorities + CERTIFICATE.read_bytes())
    os.environ["SSL_CERT_FILE"] = str(bundle)
    for is_secure in (False, True):
        with loopback(answers, is_secure=is_secure) as address:
            yield _first_answer(address, 3 if quick else 20, " over https" if is_secure else "")


def _first_answer(address: str, rounds: int, way: str) -> Section:
    first = (
        "from comfydeploy.core import ComfyDeployCore; from comfydeploy.funcs.run_get import run_get; "
        f"run_get(ComfyDeployCore(bearer='token', server_url='{address}'), '{samples.RUN_ID}').unwrap()"
    )
    raising = (
        "from comfydeploy.client import ComfyDeploy; "
        f"ComfyDeploy(bearer='token', server_url='{address}').run.get('{samples.RUN_ID}')"
    )
    bare = f"import httpx; httpx.Client().get('{address}{_PATH}').json()"
    contenders = {
        "httpx: Client().get(...).json()": _here(bare),
        "run_get": _here(first),
        _FIRST_SPEED: _here(first, RUNTIME_SPEED),
        _RAISING: _here(raising),
        "httpx2: Client().get(...).json()": _there(HTTPX2, bare.replace("httpx", "httpx2")),
        **_official(
            "ComfyDeploy(...).run.get(...)",
            "from comfydeploy import ComfyDeploy; "
            f"client = ComfyDeploy(bearer='token', server_url='{address}'); "
            f"client.run.get(run_id='{samples.RUN_ID}')",
        ),
    }
    targets = [
        Target(f"start to the first answer of run_get / httpx{way}", "run_get", at_most=1.3),
        Target("the same with comfydeploy[speed]", _FIRST_SPEED, at_most=1.25),
        Target("the same by the client that raises", _RAISING, at_most=1.35),
    ]
    return Section(f"Start, import and first answer{way}", "ms", in_turns(contenders, rounds), targets)


def _here(statement: str, environment: Environment = RUNTIME) -> Measure:
    # -E: a variable such as PYTHONDONTWRITEBYTECODE would let the checkout compile its modules in every process.
    command = [environment.python(), "-E", "-s", "-c", statement]
    return each(partial(subprocess.run, command, cwd=CHECKOUT, check=True), times=1)


def _official(what: str, statement: str) -> dict[str, Measure]:
    return {official_row(version, what): _there(environment, statement) for version, environment in OFFICIAL.items()}


def _there(environment: Environment, statement: str) -> Measure:
    # Started elsewhere: in the checkout the name of the official SDK is this package.
    command = [environment.python(), "-E", "-s", "-c", statement]
    return each(partial(subprocess.run, command, cwd=environment.folder, check=True), times=1)
