"""Interrupt each kind of work at every point: ``python tests/interruption``; exits with 1 where something is left.

With names of functions only those, with ``--every 7`` every seventh point, with ``--everywhere`` also the points in
other packages and in the library of Python.
"""

import argparse
import faulthandler
import gc
import sys
import tempfile
import warnings
from collections import Counter
from itertools import count
from pathlib import Path

from cancel_points import WAYS
from quick_server import QuickServer
from trials import Trial, counted
from work import WORK, quick_client

_LIMIT = 60
"""Seconds for a trial; after them the stacks of all threads are printed, and the process ends with 1."""


def say(text):
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tried(name, trials):
    """Make the trials, print their figures, and return the number of those that have left something."""
    figures, faults = Counter(), Counter()
    for number, trial in trials:
        faulthandler.dump_traceback_later(_LIMIT, exit=True)
        figures["points"] += 1
        figures["ignored"] += trial.is_ignored
        figures["late"] += trial.is_late
        figures["faults"] += bool(trial.faults)
        faults.update(trial.faults)
        first = number if trial.faults and figures["faults"] == 1 else None
        if first:
            say(f"  first fault of {name} at {first}: {trial.faults}")
    faulthandler.cancel_dump_traceback_later()
    say(f"{name:45}" + "".join(f"{figures[key]:9}" for key in ("points", "faults", "late", "ignored")))
    for fault, times in faults.items():
        say(f"  {times} times: {fault}")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--everywhere", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", ResourceWarning)  # of what was made and not yet used
    warnings.filterwarnings("ignore", "coroutine", RuntimeWarning)
    server, total = QuickServer(), Counter()
    say(f"{'':45}" + "".join(f"{key:>9}" for key in ("points", "faults", "late", "ignored")))
    with quick_client(), tempfile.TemporaryDirectory() as made:
        folder = Path(made)

        def ctrl_c(work):
            points = counted(work, server, folder, everywhere=chosen.everywhere)
            for number in range(1, points + 1, chosen.every):
                trial = Trial(work, server, folder)
                trial.interrupt(number, everywhere=chosen.everywhere)
                yield number, trial

        def cancelled(work, way):
            for number in count(1, chosen.every):
                trial = Trial(work, server, folder)
                passed = trial.cancel(way, number)
                yield number, trial
                if passed < number:
                    return

        for work in WORK:
            if chosen.names and work.name not in chosen.names:
                continue
            gc.collect()
            gc.freeze()
            total += tried(f"{work!r}: Ctrl-C", ctrl_c(work))
            for way in () if chosen.everywhere else WAYS:
                total += tried(f"{work!r}: {way.__name__}", cancelled(work, way))
    server.close()
    say(f"{total['points']} points, {total['faults']} with faults, {total['late']} late, {total['ignored']} ignored")
    return 1 if total["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
