"""Simulated worlds: ``python tests/simulation --seeds 10000 --from 0`` prints what they show.

``--show 7`` prints what happens in the world of a seed, made simpler where it fails; ``--keep`` writes ``seeds.txt``.
"""

import argparse
import sys
import time
from collections import Counter
from multiprocessing import Pool

from choices import shrunk
from kept_seeds import keep
from simulation import simulated
from weakenings import BREAKS, weakened


def _say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _show(seed, weakening):
    with weakened(weakening):
        shown, trace = simulated(seed), []
        choices = shown.choices
        if shown.fault:
            choices = shrunk(choices, lambda given: simulated(given=given).fault == shown.fault)
        simulated(given=choices, trace=trace)
    _say("\n".join(trace))
    _say(f"{len(shown.choices)} choices, the simplest {len(choices)}: {choices}")


def _explore(first, seeds, processes):
    began, steps, runs, faults = time.monotonic(), 0, 0, Counter()
    with Pool(processes) as pool:
        for seed, shown in enumerate(pool.imap(simulated, range(first, first + seeds), chunksize=100), first):
            steps, runs = steps + shown.steps, runs + shown.runs
            if shown.fault:
                faults[shown.fault] += 1
                if faults[shown.fault] <= 3:
                    _say(f"seed {seed}: {shown.detail}")
    minutes = (time.monotonic() - began) / 60
    _say(
        f"{seeds:,} worlds from seed {first:,}: {steps:,} steps, {runs:,} runs, {faults.total():,} faults; "
        f"{steps / minutes:,.0f} steps a minute"
    )
    return faults.total()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many worlds")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--show", type=int, help="print what happens in one world")
    parser.add_argument("--weakening", choices=list(BREAKS), help="with this fault in the client, for --show")
    parser.add_argument("--keep", action="store_true", help="find a seed for each fault, and write seeds.txt")
    given = parser.parse_args()
    if given.show is not None:
        _show(given.show, given.weakening)
    elif given.keep:
        for one in keep():
            _say(one.line()[:160])
    else:
        sys.exit(_explore(given.first, given.seeds, given.processes) > 0)


if __name__ == "__main__":
    main()
