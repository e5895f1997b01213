"""Mutation testing: ``python tests/mutation upload streaming --every 4`` prints the mutants that no test finds.

Each mutant is tested in a fork of this process, which has loaded all but this package, by the tests of its module alone
and until the first of them fails. ``known.txt`` has the survivors that are equivalent, each with its reason.
"""

import argparse
import os
import signal
import sys
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path

import httpx  # noqa: F401 - loaded once, for all forks
import httpx2  # noqa: F401 - the same
import hypothesis  # noqa: F401 - the same
import pytest
import starlette.applications  # noqa: F401 - the same
from mutants import Mutant, mutants

ROOT = Path(__file__).parent.parent.parent
# The tests of a module, the fastest first: by default those of the same name.
TESTS = {
    "comfydeploy/_http/ledger.py": ["tests/http/test_ledger.py", "tests/http/test_pool.py"],
    "comfydeploy/_wire/server_sent_events.py": ["tests/wire/test_server_sent_events.py", "tests/wire/test_events.py"],
    "comfydeploy/_wire/upload.py": ["tests/wire/test_upload.py", "tests/funcs/test_file_upload.py"],
    "comfydeploy/streaming.py": ["tests/test_stream_closing.py", "tests/test_streaming.py"],
    "comfydeploy/webhooks/address.py": ["tests/test_webhooks.py"],
    "comfydeploy/webhooks/delivery.py": ["tests/test_webhooks.py"],
    "comfydeploy/webhooks/progress.py": ["tests/test_webhooks.py"],
}
KNOWN = Path(__file__).with_name("known.txt")
LIMIT = 300.0


def tests_of(path: str) -> list[str]:
    found = TESTS.get(path) or [f"tests/{Path(path).parent.name.lstrip('_')}/test_{Path(path).name}"]
    return [test for test in found if (ROOT / test).exists()]


def is_found(path: str, mutant: Mutant) -> bool:
    """Test a mutant in a fork and return whether a test fails, or takes too long."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        _replace(path, mutant.source)
        quiet = ["-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        code = pytest.main(["-x", *quiet, *tests_of(path)])
        os._exit(int(code))
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _replace(path: str, source: str) -> None:
    """Load the module from another source."""
    load = SourceFileLoader.get_code
    target = str(ROOT / path)

    def get_code(loader, name):
        return compile(source, target, "exec") if os.path.realpath(loader.path) == target else load(loader, name)

    SourceFileLoader.get_code = get_code


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of their paths; all modules that have tests by default")
    parser.add_argument("--every", type=int, default=1, help="test every n-th mutant")
    given = parser.parse_args()
    os.chdir(ROOT)
    known = {line.partition("  # ")[0] for line in KNOWN.read_text(encoding="utf-8").splitlines()}
    paths = [path.relative_to(ROOT).as_posix() for path in (ROOT / "comfydeploy").rglob("*.py")]
    chosen = [
        path for path in sorted(paths) if tests_of(path) and (not given.modules or any(map(path.count, given.modules)))
    ]
    for path in chosen:
        made = mutants((ROOT / path).read_text(encoding="utf-8"))[:: given.every]
        made = [mutant for mutant in made if f"{path} {mutant.change}" not in known]
        if not is_found(path, Mutant(0, "none", "raise ValueError")) or is_found(
            path, Mutant(0, "same", Path(path).read_text())
        ):
            sys.exit(f"{path}: its tests do not pass without a change, or do not load it")
        began = time.monotonic()
        survivors = [mutant for mutant in made if not is_found(path, mutant)]
        for mutant in survivors:
            _say(f"  {path}:{mutant.line} {mutant.change}")
        score = 100 * (1 - len(survivors) / len(made)) if made else 100
        _say(f"{path}: {score:.1f} % of {len(made)} found, {time.monotonic() - began:.0f} s")


main()
