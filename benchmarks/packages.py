"""The packages of the contenders: their names of functions, their types, and their import times."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from os import times
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.peers import CHECKOUT, FAL, OFFICIAL, REPLICATE, RUNTIME, Environment, typescript

_PYRIGHT: Final = Environment("pyright", ("pyright[nodejs]",))
_TELLING: Final = re.compile(r"download|save|batch|bulk|journal|many|^map|mock|emulat|fake|server$", re.IGNORECASE)
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


def names() -> None:
    """Print names of functions and files that might do what the README calls missing."""
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


def types() -> None:
    """Print the types that a type checker reads."""
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


def imports() -> None:
    """Print the cost of an import."""
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
    """Return the processor time, which depends less on other load than the time on the clock."""
    begin = times()
    subprocess.run(command, cwd=folder, check=True)
    end = times()
    return end.children_user - begin.children_user + end.children_system - begin.children_system
