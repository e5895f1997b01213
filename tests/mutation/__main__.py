"""Mutation testing: ``python tests/mutation upload streaming --every 4`` prints the mutants that no test finds.

A mutant is tested in a fork, by the tests that take its line, and until the first of them fails. `README.md` has the
score of each module, and `known.txt` the mutants that are equivalent, each with its reason.
"""

import argparse
import importlib
import os
import sys
import time
import warnings
from pathlib import Path

import hypothesis
import scores
from measurement import ROOT, Measurement
from trials import Case, cases, try_live, try_loaded

FOLDER = ROOT / ".cache" / "mutation"
KNOWN = Path(__file__).with_name("known.txt")
# Without names: what decides without I/O, and what a stream and a pool of connections decide.
PURE = ["comfydeploy/_wire/", "comfydeploy/_mapping/", "comfydeploy/_http/ledger.py", "comfydeploy/_http/pool.py"]
PURE += ["comfydeploy/webhooks/", "comfydeploy/streaming.py", "comfydeploy/watching.py", "comfydeploy/outcome.py"]
PURE += ["comfydeploy/inputs.py", "comfydeploy/mapping.py", "comfydeploy/hooks.py", "comfydeploy/errors.py"]
PURE += ["comfydeploy/options.py", "comfydeploy/result.py", "comfydeploy/models/"]
# Databases, files and processes.
IMPURE = ["postgres", "sqlite", "contact_sheet", "database", "statements", "opening", "owners", "forks"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of their paths; all pure modules by default")
    parser.add_argument("--every", type=int, default=1, help="test every n-th mutant")
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--measure", action="store_true", help="measure anew which tests take which line")
    given = parser.parse_args()
    os.chdir(ROOT)
    hypothesis.settings.register_profile(
        "mutation",
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    measured = Measurement.read(FOLDER / "measured.pickle", fresh=given.measure)
    chosen = [path for path in _paths() if _is_chosen(path, given.modules) and measured.lines_of(path)]
    tried = [case for path in chosen for case in cases(path, given.every)]
    known = {line.partition("  # ")[0] for line in KNOWN.read_text(encoding="utf-8").splitlines()}
    equivalent = {(case.path, case.number) for case in tried if case.key in known}
    tried_now = [case for case in tried if (case.path, case.number) not in equivalent]
    _say(f"{len(tried)} mutants of {len(chosen)} modules, {len(equivalent)} of them equivalent")
    survivors = _survivors(tried_now, measured, given.at_once)
    for case in survivors:
        _say(f"  {case.path}:{case.mutant.line} {case.mutant.change}")
    scores.write(tried, equivalent, survivors, given.every)


def _is_chosen(path: str, names: list[str]) -> bool:
    if names:
        return any(name in path for name in names)
    return any(name in path for name in PURE) and not any(f"_mapping/{name}" in path for name in IMPURE)


def _survivors(tried: list[Case], measured: Measurement, at_once: int) -> list[Case]:
    began = time.monotonic()
    live = try_live(tried, measured, FOLDER / "results.jsonl", at_once)
    left = [case for case in tried if live.get((case.path, case.number)) is None]
    _say(f"{sum(map(bool, live.values()))} found in live functions, {time.monotonic() - began:.0f} s")
    _load(measured.loaded)
    found = try_loaded(left, measured, at_once)
    _say(f"{len(found)} of {len(left)} others found when loaded, {time.monotonic() - began:.0f} s")
    return [case for case in tried if not live.get((case.path, case.number)) and (case.path, case.number) not in found]


def _load(names: list[str]) -> None:
    """Load the modules of others once, for all forks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            try:
                importlib.import_module(name)
            except Exception:  # the forks load it then
                continue


def _paths() -> list[str]:
    found = [*(ROOT / "comfydeploy").rglob("*.py"), *(ROOT / "funcs").glob("*.py")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if "comfydeploy/funcs/" not in path.as_posix())


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


main()
