"""The table of a benchmark, and how it comes to people."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median, quantiles
from typing import Final, Literal, Protocol, TypeAlias

from attrs import frozen

from benchmarks import peers

Unit: TypeAlias = Literal["us", "ms", "events/s", "MB"]

_FIGURES: Final[Mapping[Unit, Callable[[float], float]]] = {
    "us": lambda seconds: seconds * 1e6,
    "ms": lambda seconds: seconds * 1e3,
    "events/s": lambda seconds: 1 / seconds,
    "MB": lambda size: size / 1e6,
}
_LINE: Final = "{:<58}{:>12}{:>10}{:>8}"


@frozen
class Row:
    """What is told of one contender.

    ``figure`` is its median in the unit of the section, ``spread`` half its interquartile range as a part of that, and
    ``ratio`` the median of what it comes to, round by round, beside the first contender of the section.
    """

    name: str
    figure: float
    spread: float
    ratio: float


@frozen
class Section:
    """Contenders that did the same work: the seconds of each, one for each round."""

    title: str
    unit: Unit
    taken: Mapping[str, Sequence[float]]

    def rows(self) -> list[Row]:
        """Give the row of each contender."""
        figures = {name: [*map(_FIGURES[self.unit], seconds)] for name, seconds in self.taken.items()}
        first = next(iter(figures.values()))
        return [_row(name, own, first) for name, own in figures.items()]


class Sections(Protocol):
    """A benchmark."""

    def __call__(self, *, quick: bool) -> Iterable[Section]:
        """Give the sections of its table one after the other."""


def main(benchmark: Sections, question: str | None) -> None:
    """Run a benchmark as the command line says."""
    parser = ArgumentParser(description=question)
    parser.add_argument("--quick", action="store_true", help="few rounds: some seconds, for a first look")
    arguments = parser.parse_args()
    peers.CONTENDERS.enter()
    for section in benchmark(quick=arguments.quick):
        sys.stdout.write(f"{shown(section)}\n\n")
        sys.stdout.flush()


def shown(section: Section) -> str:
    """Give a section as text."""
    lines = [_LINE.format(section.title, section.unit, "spread", "ratio")]
    for row in section.rows():
        figure = f"{row.figure:,.0f}" if row.figure >= 1000 else f"{row.figure:.1f}"
        ratio = f"{row.ratio:.2f}" if row.ratio >= 0.1 else f"{row.ratio:.4f}"
        lines.append(_LINE.format(f"  {row.name}", figure, f"± {row.spread:.0%}", ratio))
    return "\n".join(lines)


def _row(name: str, own: Sequence[float], first: Sequence[float]) -> Row:
    low, middle, high = quantiles(own, n=4)
    ratios = (mine / other for mine, other in zip(own, first, strict=True))
    return Row(name, middle, (high - low) / 2 / middle, median(ratios))
