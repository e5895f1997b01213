"""Which tests take which line of the package, and how long each test lasts."""

import os
import pickle
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import coverage
import pytest
from forks import run_in_fork

ROOT = Path(__file__).resolve().parent.parent.parent
# What is slow, or starts processes, in which nothing is changed.
AROUND = ["emulator", "cli", "ecosystem", "examples", "mutation", "faults", "simulation", "fuzz", "interruption"]
AROUND += ["test_readme.py", "test_pytest_plugin.py", "test_release.py", "test_cost.py", "test_examples.py"]
QUIET = ["-q", "-p", "no:cacheprovider", "-s", "--hypothesis-profile", "mutation"]
QUIET += ["--hypothesis-seed", "0", "-W", "ignore::pytest.PytestAssertRewriteWarning"]


def paths_of_tests() -> list[str]:
    """Return the paths of all tests that take part."""
    return [f"tests/{path.name}" for path in sorted((ROOT / "tests").iterdir()) if _takes_part(path)]


def _takes_part(path: Path) -> bool:
    is_tests = path.is_dir() and any(path.glob("test_*.py"))
    return path.name not in AROUND and (is_tests or path.match("test_*.py"))


class Measurement:
    """The durations of tests that pass, and the tests that take a line."""

    def __init__(self, seconds: dict[str, float], tests: dict[str, dict[int, list[str]]], loaded: list[str]) -> None:
        self.seconds = seconds
        self._tests = tests
        self.loaded = loaded

    @classmethod
    def read(cls, file: Path, *, fresh: bool) -> "Measurement":
        """Read what was measured last, or measure now."""
        if fresh or not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            run_in_fork(lambda: pytest.main([*QUIET, *paths_of_tests()], plugins=[_Meter(file)]), log=f"{file}.log")
        return cls(*pickle.loads(file.read_bytes()))

    def tests_of(self, path: str, lines: Iterable[int], most: float) -> list[str]:
        """Return the tests of these lines: those of the module first, then the fastest, within a duration."""
        taken = self._tests.get(path, {})
        tests = {test for line in lines for test in taken.get(line, ())}
        mirrored = f"test_{Path(path).stem.lstrip('_')}.py"
        ordered = sorted(tests, key=lambda test: (mirrored not in test, self.seconds[test]))
        found, total = [], 0.0
        for test in ordered:
            total += self.seconds[test]
            if found and total > most:
                continue
            found.append(test)
        return found

    def lines_of(self, path: str) -> list[int]:
        """Return the lines that a test takes."""
        return list(self._tests.get(path, {}))


class _Meter:
    """A plugin that runs each test under coverage, with the test as context."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{ROOT}/comfydeploy/*", f"{ROOT}/funcs/*"]
        )
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()

    def pytest_runtestloop(self, session: Any) -> bool:
        self._coverage.start()
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            self._coverage.switch_context(item.nodeid)
            began = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._seconds[item.nodeid] = time.perf_counter() - began
        self._coverage.stop()
        self._write()
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed or report.skipped:
            self._failed.add(report.nodeid)

    def _write(self) -> None:
        data = self._coverage.get_data()
        seconds = {test: spent for test, spent in self._seconds.items() if test not in self._failed}
        tests: dict[str, dict[int, list[str]]] = {}
        for file in data.measured_files():
            path = os.path.relpath(os.path.realpath(file), ROOT)
            for line, contexts in data.contexts_by_lineno(file).items():
                known = [context for context in contexts if context in seconds]
                if known:
                    tests.setdefault(path, {})[line] = known
        loaded = [name for name, module in list(sys.modules.items()) if _is_others(module)]
        self._file.write_bytes(pickle.dumps((seconds, tests, loaded)))


def _is_others(module: Any) -> bool:
    """Check whether a module is neither of this package nor of its tests."""
    file = getattr(module, "__file__", None) or str(ROOT)
    return not file.startswith(str(ROOT)) or "site-packages" in file
