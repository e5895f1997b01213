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
from os import times
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import field, frozen

from benchmarks.contenders.service import service
from benchmarks.peers import CHECKOUT, CONTENDERS, FAL, OFFICIAL, REPLICATE, RUNTIME, Environment, typescript
from comfydeploy.emulator import Emulator

_PROGRAMS: Final = Path(__file__).with_name("contenders")
_PYRIGHT: Final = Environment("pyright", ("pyright[nodejs]",))
_QUEUE: Final = ("run_queue", "run_deployment_queue")
_TELLING: Final = re.compile(r"download|save|batch|bulk|journal|many|^map|mock|emulat|fake|server$", re.IGNORECASE)
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
_OURS: Final = """
from comfydeploy import ComfyDeploy
run = ComfyDeploy().run.queue_and_wait({})
reveal_type(run)
reveal_type(run.files[0])
"""
_VENDORS: Final = """
from comfydeploy import ComfyDeploy
run = ComfyDeploy(bearer="").run.get(run_id="").workflow_run_model
assert run and run.outputs
reveal_type(run)
reveal_type(run.outputs[0].data["images"][0])
"""
_FALS: Final = """
import fal_client
run = fal_client.subscribe("a/b", {})
reveal_type(run)
reveal_type(run["images"])
"""
_REPLICATES: Final = """
import replicate
run = replicate.run("a/b", {})
reveal_type(run)
reveal_type(run[0])
"""
_TYPED: Final = {
    "this package": (RUNTIME, _OURS),
    **{f"vendor's SDK {version}": (environment, _VENDORS) for version, environment in OFFICIAL.items()},
    "fal-client": (FAL, _FALS),
    "replicate": (REPLICATE, _REPLICATES),
}


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


def _types() -> None:
    print("\n## types: what pyright reads of a run, and of its file\n")
    for name, (environment, source) in _TYPED.items():
        with TemporaryDirectory() as folder:
            path = Path(folder, "consumer.py")
            path.write_text(source)
            # This package is installed nowhere: the checkout is searched as well.
            (Path(folder) / "pyrightconfig.json").write_text(
                f'{{"extraPaths": ["{CHECKOUT}"]}}' if environment is RUNTIME else "{}"
            )
            command: list[str | Path] = [_PYRIGHT.python(), "-m", "pyright", "--pythonpath", environment.python(), path]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        print(f"- {name}: {', '.join(re.findall(r'Type of .* is (.*)', done.stdout)) or done.stdout}")


def _imports() -> None:
    print("\n## imports: milliseconds of a processor beyond the bare interpreter, the median of 9\n")
    statements: dict[str, tuple[Sequence[str | Path], Path, str]] = {
        "this package": ([RUNTIME.python(), "-E", "-s", "-c"], CHECKOUT, "import comfydeploy"),
        "this package, one function": (
            [RUNTIME.python(), "-E", "-s", "-c"],
            CHECKOUT,
            "from comfydeploy.funcs.run_queue import run_queue",
        ),
        "this package, one function, and httpx, which its first call loads": (
            [RUNTIME.python(), "-E", "-s", "-c"],
            CHECKOUT,
            "from comfydeploy.funcs.run_queue import run_queue; import httpx",
        ),
        **{
            f"vendor's SDK {version}": ([one.python(), "-I", "-c"], one.folder, "from comfydeploy import ComfyDeploy")
            for version, one in OFFICIAL.items()
        },
        "fal-client": ([FAL.python(), "-I", "-c"], FAL.folder, "import fal_client"),
        "replicate": ([REPLICATE.python(), "-I", "-c"], REPLICATE.folder, "import replicate"),
    }
    if shutil.which("npm"):
        node = ["node", "--input-type=module", "-e"]
        statements["TypeScript SDK"] = (node, typescript(), "import 'comfydeploy'")
        one = "import 'comfydeploy/funcs/runDeploymentQueue.js'"
        statements["TypeScript SDK, one function"] = (node, typescript(), one)
    taken: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(9):
        for name, (command, folder, statement) in statements.items():
            taken[name].append(_seconds([*command, statement], folder) - _seconds([*command, ""], folder))
    for name, seconds in taken.items():
        print(f"- {name}: {1000 * median(seconds):.0f}")


def _seconds(command: Sequence[str | Path], folder: Path) -> float:
    """Return the time on a processor, which a busy machine changes less than the time on the clock."""
    begin = times()
    subprocess.run(command, cwd=folder, check=True)
    end = times()
    return end.children_user - begin.children_user + end.children_system - begin.children_system


def _names() -> None:
    print("\n## names: functions and files that save files, start many runs, or stand in for the service\n")
    folders = {
        name: next(environment.folder.glob("lib/*/site-packages")) / module
        for name, (environment, module) in {
            **{f"vendor's SDK {version}": (one, "comfydeploy") for version, one in OFFICIAL.items()},
            "fal-client": (FAL, "fal_client"),
            "replicate": (REPLICATE, "replicate"),
        }.items()
    }
    if shutil.which("npm"):
        folders["TypeScript SDK"] = typescript() / "node_modules" / "comfydeploy" / "funcs"
    for name, folder in folders.items():
        found = {path.stem for path in folder.rglob("*") if _TELLING.search(path.stem)}
        for path in folder.rglob("*.py"):
            found |= {each for each in re.findall(r"def ([a-z]\w+)", path.read_text()) if _TELLING.search(each)}
        print(f"- {name}: {', '.join(sorted(found)) or 'none'}")


def main() -> None:
    """Try the questions that are named, or all of them."""
    CONTENDERS.enter()
    chosen = sys.argv[1:] or [*_QUESTIONS, "names", "types", "imports"]
    contenders = _contenders()
    for name in chosen:
        if question := _QUESTIONS.get(name):
            print(f"\n## {name}: {question.text}\n")
            for contender, trial in contenders.items():
                print(f"- {contender}: {trial(name, question)}", flush=True)
    for name, section in {"names": _names, "types": _types, "imports": _imports}.items():
        if name in chosen:
            section()


if __name__ == "__main__":
    main()
