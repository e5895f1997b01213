"""Try mutants: with their code in live functions, or with the whole package loaded anew."""

import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from forks import run_in_fork
from measurement import QUIET, ROOT, Measurement, paths_of_tests
from mutants import Mutant, mutants
from swapping import Live, swaps

# The tests of a mutant may take this long without a change.
BRIEF, LONG = 2.5, 5.0
UNCHANGED = 64  # the exit code of a trial that cannot make its change
FILES = 4  # which a trial loads beside the package


class Case(NamedTuple):
    """A mutant of a module, and its number among them."""

    path: str
    number: int
    mutant: Mutant

    @property
    def key(self) -> str:
        return f"{self.path} {self.mutant.change}"


def cases(path: str, every: int) -> list[Case]:
    source = (ROOT / path).read_text(encoding="utf-8")
    return [Case(path, number, mutant) for number, mutant in enumerate(mutants(source, _loaded_as(path), every))]


def _loaded_as(path: str) -> str:
    """Return the path by which Python loads a module: functions through their link."""
    return str(ROOT / ("comfydeploy" if path.startswith("funcs/") else ".") / path)


def _module(path: str) -> str:
    parts = Path(_loaded_as(path)).relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def limit(measured: Measurement, tests: list[str]) -> float:
    return 4 + 5 * sum(measured.seconds[test] for test in tests)


class LiveTrials:
    """A plugin that collects all tests once, and then tries each mutant in a fork with the tests of its lines.

    It writes a line for each mutant: whether it was found, or null if its code is not in a live function.
    """

    def __init__(self, tried: list[Case], measured: Measurement, results: Path, at_once: int) -> None:
        self._cases = tried
        self._measured = measured
        self._results = results
        self._at_once = at_once
        self._sound: dict[str, bool] = {}

    def pytest_runtestloop(self, session: Any) -> bool:
        paths = {case.path for case in self._cases}
        for path in paths:
            import_module(_module(path))
        files = {_loaded_as(path): path for path in paths}
        self._items = {item.nodeid: item for item in session.items}
        self._session = session
        self._originals = {
            path: compile((ROOT / path).read_text(encoding="utf-8"), file, "exec", dont_inherit=True)
            for file, path in files.items()
        }
        self._live = Live(set(files))
        gc.freeze()
        workers = [self._work(number) for number in range(self._at_once)]
        for worker in workers:
            os.waitpid(worker, 0)
        return True

    def _work(self, number: int) -> int:
        """Try every n-th mutant in a process of its own."""
        worker = os.fork()
        if worker:
            return worker
        with self._results.open("a", encoding="utf-8", buffering=1) as results:
            for case in self._cases[number :: self._at_once]:
                tests = self._measured.tests_of(case.path, case.mutant.lines, BRIEF)
                apply = self._way(case)
                found = self._is_found(apply, tests) if apply and tests else None
                results.write(json.dumps([case.path, case.number, found]) + "\n")
        os._exit(0)

    def _way(self, case: Case) -> Callable[[], bool] | None:
        """Return what makes a change in this process; None if only loading does."""
        if constant := case.mutant.constant:
            module = sys.modules[_module(case.path)]
            return lambda: self._live.assign(module, *constant) or True
        changed = swaps(self._originals[case.path], case.mutant.code)
        return changed and (lambda: self._live.swap(changed))

    def _is_found(self, apply: Callable[[], bool], tests: list[str]) -> bool | None:
        """Return whether a test fails that passes without the change; None if the change is in no live function."""
        while tests:
            failed, code = self._first_failure(apply, tests)
            if code == 0:
                return False
            if code == UNCHANGED:
                return None
            if not failed or self._passes_alone(failed):
                return True
            tests = [test for test in tests if test != failed]
        return False

    def _passes_alone(self, test: str) -> bool:
        if test not in self._sound:
            self._sound[test] = self._first_failure(lambda: True, [test])[1] == 0
        return self._sound[test]

    def _first_failure(self, apply: Callable[[], bool], tests: list[str]) -> tuple[str | None, int | None]:
        reading, writing = os.pipe()

        def run() -> int:
            if not apply():
                return UNCHANGED
            items = [self._items[test] for test in tests]
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._session.testsfailed:
                    os.write(writing, item.nodeid.encode())
                    return 1
            return 0

        code = run_in_fork(run, limit(self._measured, tests))
        os.close(writing)
        with os.fdopen(reading, "rb") as failed:
            return failed.read().decode() or None, code


class _Chosen:
    """A plugin that runs the chosen tests alone, in their order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid]
        )


def _is_found_when_loaded(path: str, code: Any, tests: list[str], measured: Measurement) -> bool:
    """Load the package with a changed module, and return whether one of these tests fails."""
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))

    def run() -> int:
        _replace(_loaded_as(path), code)
        return pytest.main([*QUIET, "-x", *files], plugins=[_Chosen(tests)])

    return run_in_fork(run, limit(measured, tests) + 3 * len(files)) != 0


def _replace(target: str, code: Any) -> None:
    load = SourceFileLoader.get_code

    def get_code(loader: Any, name: str) -> Any:
        return code if str(Path(loader.path).absolute()) == target else load(loader, name)

    SourceFileLoader.get_code = get_code


def try_live(
    tried: list[Case], measured: Measurement, results: Path, at_once: int
) -> dict[tuple[str, int], bool | None]:
    """Try mutants in live functions; None where that is impossible."""
    results.unlink(missing_ok=True)
    plugin = LiveTrials(tried, measured, results, at_once)
    run_in_fork(lambda: pytest.main([*QUIET, *paths_of_tests()], plugins=[plugin]), log=f"{results}.log")
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return {(path, number): found for path, number, found in map(json.loads, lines)}


def try_loaded(tried: list[Case], measured: Measurement, at_once: int) -> set[tuple[str, int]]:
    """Try mutants with the package loaded anew, and return those that are found.

    None is found by tests that fail without a change, as tests may where their module is loaded anew.
    """
    reading, writing = os.pipe()
    paths = list(dict.fromkeys(case.path for case in tried))
    workers = []
    for number in range(at_once):
        worker = os.fork()
        workers.append(worker)
        if not worker:
            for path in paths[number::at_once]:
                for case, tests in _judged([case for case in tried if case.path == path], measured):
                    found = _is_found_when_loaded(path, case.mutant.code, tests, measured)
                    os.write(writing, (json.dumps([path, case.number, found]) + "\n").encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for worker in workers:
        os.waitpid(worker, 0)
    return {(path, number) for path, number, found in rows if found}


def _judged(tried: list[Case], measured: Measurement) -> Iterator[tuple[Case, list[str]]]:
    """Yield mutants of a module with tests that pass without them."""
    path = tried[0].path
    source = compile((ROOT / path).read_text(encoding="utf-8"), path, "exec", dont_inherit=True)
    passing: dict[tuple[str, ...], bool] = {}
    for case in tried:
        tests = _tests_when_loaded(case, measured)
        key = tuple(tests)
        if key not in passing:
            passing[key] = not _is_found_when_loaded(path, source, tests, measured)
        if passing[key]:
            yield case, tests


def _tests_when_loaded(case: Case, measured: Measurement) -> list[str]:
    """Return the tests of the changed lines, or else of the whole module, out of a few files."""
    tests = measured.tests_of(case.path, case.mutant.lines, LONG)
    tests = tests or measured.tests_of(case.path, measured.lines_of(case.path), LONG)
    number = Counter(test.partition("::")[0] for test in tests)
    first = tests[0].partition("::")[0]
    files = {first, *(file for file, _ in number.most_common(FILES))}
    return [test for test in tests if test.partition("::")[0] in files]
