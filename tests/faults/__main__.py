"""The fault matrix: ``python tests/faults`` makes every trial and writes ``README.md``; ``soak`` is the soak."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fault_oracle import Trial
from fault_report import merged, record, tally
from fault_selection import families, whole
from fault_trials import Bench, Observed

_PRIME: Final = 7919


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="make every n-th trial")
    parser.add_argument("--families", nargs="*", default=families(), help="only these faults")
    parser.add_argument("--operations", nargs="*", help="only these operations")
    parser.add_argument("--processes", type=int, default=4, help="trials wait more than they compute")
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part is not None:
        sys.stdout.write(json.dumps(tally(_trials(given))))
        return
    began = time.monotonic()
    command = [sys.executable, str(Path(__file__).parent), *sys.argv[1:]]
    parts = [
        subprocess.Popen([*command, "--part", str(part)], stdout=subprocess.PIPE, text=True)
        for part in range(given.processes)
    ]
    counted = merged(json.loads(part.communicate()[0]) for part in parts)
    tried = sum(row["tried"] for row in counted.values())
    survived = sum(row["survived"] for row in counted.values())
    sys.stdout.write(f"{survived:,} of {tried:,} survived, {time.monotonic() - began:,.0f} s\n")
    if given.families == families() and given.operations is None:
        minutes = (time.monotonic() - began) / 60
        share = "every trial" if given.every == 1 else f"every {given.every}th trial"
        what = f"{share}, {given.processes} processes, {minutes:,.0f} minutes"
        record("matrix", {"what": what, "families": counted})
    sys.exit(survived != tried)


def _trials(given: Any) -> Iterator[tuple[Trial, list[str], Observed]]:
    with Bench() as bench:
        sequences = {call.name: bench.sequence(call) for call in bench.calls.values()}
        chosen = [
            trial
            for trial in whole(bench.calls, lambda call: sequences[call.name])
            if trial.fault.family in given.families and (not given.operations or trial.call.name in given.operations)
        ]
        # Not the first of each group: those are all blocking.
        places = (start + _PRIME * start % given.every for start in range(0, len(chosen), given.every))
        taken = [chosen[place] for place in places if place < len(chosen)]
        for trial in taken[given.part :: given.processes]:
            problems, seen = bench.problems(trial)
            if problems:
                sys.stderr.write(f"{trial}: {'; '.join(problems)}: {seen}\n")
            yield trial, problems, seen


if __name__ == "__main__":
    if sys.argv[1:2] == ["soak"]:
        from soak import soak

        soak(sys.argv[2:])
    else:
        main()
