"""Run the programs "before" of docs/migrate-*.md with the clients they are for: ``python -m benchmarks.migrations``.

Those "after" are run by the tests.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.contenders.service import service
from benchmarks.peers import CHECKOUT, CONTENDERS, FAL, OFFICIAL, REPLICATE, Environment, typescript
from comfydeploy.emulator import Emulator

_BEFORE: Final = re.compile(r"```(?:py|typescript)\n(.*?)```", re.DOTALL)
_FIRST_POLL: Final = "waited"


def main() -> None:
    """Run each program in a folder of its own, and show what it prints and saves."""
    CONTENDERS.enter()
    with Emulator(pace=0.05, bearer="local-key") as emulator, service(_FIRST_POLL) as another:
        programs = {page.stem: _program(page, emulator.url) for page in (CHECKOUT / "docs").glob("migrate-*.md")}
        for version in OFFICIAL:
            _run(f"vendor's SDK {version}", OFFICIAL[version], programs["migrate-python-sdk"])
        _run("fal-client", FAL, programs["migrate-fal"], another.environment)
        _run("replicate", REPLICATE, programs["migrate-replicate"], another.environment)
        (typescript() / "before.mjs").write_text(programs["migrate-typescript"])
        _show("TypeScript SDK", ["node", typescript() / "before.mjs"], {})


def _program(page: Path, address: str) -> str:
    found = _BEFORE.search(page.read_text(encoding="utf-8"))
    assert found, f"{page} has no program before"
    return found[1].replace("http://localhost:3011/api", address)


def _run(name: str, environment: Environment, program: str, variables: dict[str, str] | None = None) -> None:
    _show(name, [environment.python(), "-I", "-c", program], variables or {})


def _show(name: str, command: Sequence[str | Path], variables: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=False
        )
        saved = {path.name: path.stat().st_size for path in Path(folder).iterdir()}
    print(f"## {name}: exit {done.returncode}, saved {saved}\n{done.stdout}{done.stderr[-400:]}")


if __name__ == "__main__":
    main()
