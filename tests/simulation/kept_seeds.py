"""The seeds that have failed: a file with a line for each, and its simplest choices."""

from itertools import count
from pathlib import Path
from typing import NamedTuple

from choices import shrunk
from simulation import simulated
from weakenings import BREAKS, weakened

FILE = Path(__file__).with_name("seeds.txt")
HEAD = """\
Worlds that fail where the client has a fault: the seed, the promise that is broken, the fault that is put into the
client (the first one was in it), and the simplest choices that break the promise as well.
`python tests/simulation --keep` writes them.
"""


class Kept(NamedTuple):
    """A seed, what it breaks with which fault, and its choices made simpler."""

    seed: int
    promise: str
    weakening: str
    choices: list

    def line(self):
        return f"{self.seed} | {self.promise} | {self.weakening} | {' '.join(map(str, self.choices))}"


def kept():
    """Read the seeds."""
    lines = FILE.read_text(encoding="utf-8").removeprefix(HEAD).split("\n")
    parts = (line.split(" | ") for line in lines if line)
    return [Kept(int(seed), promise, name, [*map(int, choices.split())]) for seed, promise, name, choices in parts]


def found(name):
    """Find the first seed that fails with a fault, and make its choices simpler."""
    with weakened(name):
        worlds = (simulated(seed) for seed in count())
        seed, shown = next(pair for pair in enumerate(worlds) if pair[1].fault == BREAKS[name])
        simple = shrunk(shown.choices, lambda choices: simulated(given=choices).fault == shown.fault)
    return Kept(seed, shown.fault, name, simple)


def still_fails(one):
    """Return whether the choices of a kept seed fail with its fault, and its world only then."""
    with weakened(one.weakening):
        found_again = simulated(given=one.choices).fault == simulated(one.seed).fault == one.promise
    return found_again and simulated(given=one.choices).fault is None


def keep():
    """Find a seed for each fault whose kept one fails no more, and write them; yield all."""
    before = {one.weakening: one for one in kept()} if FILE.exists() else {}
    seeds = []
    for name in BREAKS:
        is_kept = name in before and still_fails(before[name])
        seeds.append(before[name] if is_kept else found(name))
        FILE.write_text("\n".join([HEAD, *(one.line() for one in seeds), ""]), encoding="utf-8")
        yield seeds[-1]
