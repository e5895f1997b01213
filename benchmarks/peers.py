"""Where the contenders live: environments made when they are first needed, and a process for the official SDK.

Imports the standard library alone, since nothing else need be installed for the interpreter that starts it all.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
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
        """Where it is, made or not."""
        return CHECKOUT / ".cache" / "benchmarks" / f"{self.name}-{sys.version_info.major}.{sys.version_info.minor}"

    def python(self) -> Path:
        """Give its interpreter; make it first if it is not there, or not of these packages and this Python."""
        python = self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        wanted = "\n".join([sys.version, *self.requirements])
        record = self.folder / "made-of.txt"  # written last: one that was left half made is made again
        if not record.exists() or record.read_text() != wanted:
            sys.stderr.write(f"making the environment {self.name!r}, once\n")
            EnvBuilder(clear=True, with_pip=True).create(self.folder)
            subprocess.run([python, "-m", "pip", "install", "-qq", *self.requirements], check=True)
            record.write_text(wanted)
        return python

    def enter(self) -> None:
        """Go on in this environment: start the same command anew unless it runs there already."""
        python = self.python()
        if Path(sys.prefix).resolve() != self.folder.resolve():
            sys.exit(subprocess.call([python, *sys.orig_argv[1:]]))


_PROJECT: Final = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
_DEPENDENCIES: Final = tuple(_PROJECT["dependencies"])
# httpx imports click, rich and pygments where it finds them, so what imports cost is only seen without them.
RUNTIME: Final = Environment("runtime", _DEPENDENCIES)
_SPEED: Final = tuple(_PROJECT["optional-dependencies"]["speed"])
CONTENDERS: Final = Environment("contenders", (*_DEPENDENCIES, *_SPEED, "aiohttp", "httpx-sse", "pydantic>=2"))
OFFICIAL: Final = Environment("official", ("comfydeploy==0.6.3",))


class Asked(Protocol):
    """How the official SDK is asked: for a method of its ``run``, so many times, each of so many ``pieces``.

    ``at_once`` is how many awaited calls are in flight.
    """

    def __call__(self, method: str, times: int, pieces: int = 1, *, at_once: int = 1, **arguments: Any) -> Measure:
        """Give the measure of one piece."""


@contextmanager
def official(address: str) -> Iterator[Asked]:
    """Start the official SDK as a client of a server; leaving ends its process.

    It has the import name of this package, so it runs apart and takes its turns through a pipe.
    """
    # Isolated: neither the checkout nor PYTHONPATH may come before the SDK.
    command: list[str | Path] = [OFFICIAL.python(), "-I", Path(__file__).with_name("official.py"), address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asking, answering = process.stdin, process.stdout
        assert asking is not None
        assert answering is not None

        def asked(method: str, times: int, pieces: int = 1, *, at_once: int = 1, **arguments: Any) -> Measure:
            question = json.dumps([method, times, at_once, arguments])

            def measure() -> float:
                asking.write(f"{question}\n")
                asking.flush()
                return float(json.loads(answering.readline())) / times / pieces

            return measure

        yield asked
