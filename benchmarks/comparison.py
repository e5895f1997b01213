"""Try what the README's comparison says: ``python -m benchmarks.comparison [QUESTION ...]`` prints what happened.

Each client runs as a program of its own, in an environment of its own, against a server with one fault. The clients of
ComfyDeploy call the local server, and those of other services a stand-in, which says nothing about the real services.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any, Final

from attrs import field, frozen

from benchmarks.contenders.service import service
from benchmarks.packages import imports, names, types
from benchmarks.peers import CHECKOUT, CONTENDERS, FAL, OFFICIAL, REPLICATE, Environment, typescript
from comfydeploy.emulator import Emulator

_PROGRAMS: Final = Path(__file__).with_name("contenders")
_QUEUE: Final = ("run_queue", "run_deployment_queue")
_IDS: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|127\.0\.0\.1:\d+")


@frozen
class _Question:
    """What is tried: the faults and habits of the local server, and the deployment."""

    text: str
    operations: Sequence[str] = ()
    fault: Mapping[str, Any] = field(factory=dict)
    quirks: Sequence[str] = ()
    deployment: str = "picture"


_QUESTIONS: Final = {
    "lost": _Question("the connection is reset after the run was created", _QUEUE, {"reset": True, "execute": True}),
    "lost_502": _Question("the answer is a 502 after the run was created", _QUEUE, {"status": 502, "execute": True}),
    "lost_retries": _Question("the same reset, with retries on", _QUEUE, {"reset": True, "execute": True}),
    "lost_502_retries": _Question("the same 502, with retries on", _QUEUE, {"status": 502, "execute": True}),
    "lost_once": _Question("the same reset, with a key", _QUEUE, {"reset": True, "execute": True}),
    "waited": _Question("a run is waited for"),
    "poll_502": _Question("a poll is answered with 502", ["run_get"], {"status": 502}),
    "poll_nginx": _Question(
        "a poll is answered with a 502 of nginx", ["run_get"], {"status": 502, "body": "<h1>nginx</h1>"}
    ),
    "poll_reset": _Question("a poll is reset", ["run_get"], {"reset": True}),
    "failed": _Question("a run fails", quirks=["empty-sync"], deployment="failing"),
    "streamed": _Question("a stream"),
    "broken": _Question("a stream with broken events", quirks=["corrupted-events"]),
    "saved": _Question("a file is saved"),
    "cut": _Question("the connection closes in the middle of a file", ["output_file"], {"truncate_after": 1000}),
}


# What the types of the result of one run are, and of its first file.
def _of_comfydeploy(command: Sequence[str | Path], folder: Path, name: str, question: _Question) -> str:
    with Emulator(pace=0.05, quirks=question.quirks) as emulator:
        for operation in question.operations:
            emulator.fail(operation, times=1, **question.fault)
        said = _said([*command, name, emulator.url, emulator.deployments[question.deployment]], folder)
        return f"{said}; {len(emulator.runs)} created"


def _of_another(command: Sequence[str | Path], folder: Path, name: str, _: _Question) -> str:
    with service(name) as server:
        return f"{_said([*command, name, server.host], folder, server.environment)}; {server.created} created"


def _said(command: Sequence[str | Path], folder: Path, variables: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | (variables or {}), capture_output=True, text=True, timeout=60, check=False
    )
    return _IDS.sub("…", (done.stdout or done.stderr).strip().splitlines()[-1])


def _many() -> None:
    print("\n## many: 100 jobs, and a program that is killed halfway and started again\n")
    command = [sys.executable, "-m", "benchmarks.contenders.this", "many"]
    with Emulator(pace=0.05) as emulator, TemporaryDirectory() as folder:
        arguments = [*command, emulator.url, emulator.deployments["picture"]]
        variables = {"PYTHONPATH": str(CHECKOUT)}
        first = subprocess.Popen(arguments, cwd=folder, env=os.environ | variables)
        while len(emulator.runs) < 50:
            sleep(0.01)
        first.kill()
        first.wait()
        said = _said(arguments, Path(folder), variables)
        saved = len(list(Path(folder).glob("*.png")))
        print(f"- this package: {said}; {len(emulator.runs)} created, {saved} files saved")
    print("- the others: have nothing of the kind, see names")


_Trial = Callable[[str, _Question], str]


def _contenders() -> dict[str, _Trial]:
    def of_comfydeploy(command: Sequence[str | Path], folder: Path) -> _Trial:
        return lambda name, question: _of_comfydeploy(command, folder, name, question)

    def of_another(environment: Environment, program: str) -> _Trial:
        command: list[str | Path] = [environment.python(), "-I", _PROGRAMS / program]
        return lambda name, question: _of_another(command, environment.folder, name, question)

    found = {"this package": of_comfydeploy([sys.executable, "-m", "benchmarks.contenders.this"], CHECKOUT)}
    for version, environment in OFFICIAL.items():
        command: list[str | Path] = [environment.python(), "-I", _PROGRAMS / "vendor.py"]
        found[f"vendor's SDK {version}"] = of_comfydeploy(command, environment.folder)
    if shutil.which("npm"):
        found["TypeScript SDK"] = of_comfydeploy(["node", _PROGRAMS / "typescript.mjs"], typescript())
    else:
        sys.stderr.write("without npm the TypeScript SDK is left out\n")
    found["fal-client"] = of_another(FAL, "fal.py")
    found["replicate"] = of_another(REPLICATE, "replicate.py")
    return found


_SECTIONS: Final = {"many": _many, "names": names, "types": types, "imports": imports}


def main() -> None:
    """Try the questions that are named, or all of them."""
    CONTENDERS.enter()
    chosen = sys.argv[1:] or [*_QUESTIONS, *_SECTIONS]
    contenders = _contenders()
    for name in chosen:
        if question := _QUESTIONS.get(name):
            print(f"\n## {name}: {question.text}\n")
            for contender, trial in contenders.items():
                print(f"- {contender}: {trial(name, question)}", flush=True)
    for name, section in _SECTIONS.items():
        if name in chosen:
            section()


if __name__ == "__main__":
    main()
