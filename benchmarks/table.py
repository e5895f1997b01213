"""The results of a benchmark, as text and as JSON."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median, quantiles
from typing import Any, Final, Literal, Protocol, TypeAlias

from attrs import asdict, frozen

from benchmarks.peers import OFFICIAL, official_row

Unit: TypeAlias = Literal["us", "ms", "s", "events/s", "calls/s", "MB", "kB", "failures", "requests"]

_FIGURES: Final[Mapping[Unit, Callable[[float], float]]] = {
    "us": lambda seconds: seconds * 1e6,
    "ms": lambda seconds: seconds * 1e3,
    "s": lambda seconds: seconds,
    "events/s": lambda seconds: 1 / seconds,
    "calls/s": lambda seconds: 1 / seconds,
    "MB": lambda size: size / 1e6,
    "kB": lambda size: size / 1e3,
    "failures": lambda count: count,
    "requests": lambda count: count,
}
_LINE: Final = "{:<58}{:>12}{:>10}{:>9}"
_SUMMARY: Final = "{:<60}{:>8}{:>12}{:>6}" + "{:>10}" * len(OFFICIAL)


@frozen
class Row:
    """The result of one contender.

    ``figure`` is its median in the unit of the section, ``spread`` half its interquartile range as a part of that, and
    ``ratio`` the median of its ratios to the first contender of the section, round by round; ``None`` where
    that has no figure.
    """

    name: str
    figure: float
    spread: float
    ratio: float | None


@frozen
class Target:
    """The target of a contender: a ratio to the first one, or, with ``of="figure"``, a figure.

    ``what`` is its line in the summary.
    """

    what: str
    contender: str
    at_most: float | None = None
    at_least: float | None = None
    of: Literal["ratio", "figure"] = "ratio"

    @property
    def limit(self) -> str:
        """The target as text."""
        return f"<= {self.at_most:g}" if self.at_most is not None else f">= {self.at_least:g}"

    def is_met_by(self, reached: float) -> bool:
        """Check whether a value meets the target."""
        low = self.at_least is None or reached >= self.at_least
        return low and (self.at_most is None or reached <= self.at_most)


@frozen
class Section:
    """Contenders that did the same work, with their seconds, bytes or counts, one for each round."""

    title: str
    unit: Unit
    taken: Mapping[str, Sequence[float]]
    targets: Sequence[Target] = ()

    def rows(self) -> list[Row]:
        """Return the row of each contender."""
        figures = {name: [*map(_FIGURES[self.unit], taken)] for name, taken in self.taken.items()}
        first = next(iter(figures.values()))
        return [_row(name, own, first) for name, own in figures.items()]


@frozen
class Verdict:
    """The result of a target, with the ratios of the official SDK, by version, where it takes part."""

    target: Target
    reached: float
    is_met: bool
    official: Mapping[str, float]


class Sections(Protocol):
    """A benchmark."""

    def __call__(self, *, quick: bool) -> Iterable[Section]:
        """Yield the sections of its table."""


def verdicts(section: Section) -> list[Verdict]:
    """Return the results of the targets of a section."""
    rows = {row.name: row for row in section.rows()}
    official = {
        version: row.ratio
        for version in OFFICIAL
        for name, row in rows.items()
        if name.startswith(official_row(version, "")) and row.ratio is not None
    }
    found: list[Verdict] = []
    for target in section.targets:
        row = rows[target.contender]
        reached = row.figure if target.of == "figure" else row.ratio
        assert reached is not None
        found.append(Verdict(target, reached, target.is_met_by(reached), official if target.of == "ratio" else {}))
    return found


def shown(section: Section) -> str:
    """Return a section as text."""
    lines = [_LINE.format(section.title, section.unit, "spread", "ratio")]
    lines += [
        _LINE.format(f"  {row.name}", number(row.figure), f"± {row.spread:.0%}", number(row.ratio))
        for row in section.rows()
    ]
    return "\n".join(lines)


def summary(found: Iterable[Verdict]) -> str:
    """Return all targets as text."""
    lines = [_SUMMARY.format("target", "reached", "limit", "met", *(f"SDK {version}" for version in OFFICIAL))]
    for one in found:
        theirs = (number(one.official.get(version)) for version in OFFICIAL)
        met = "yes" if one.is_met else "NO"
        lines.append(_SUMMARY.format(one.target.what, number(one.reached), one.target.limit, met, *theirs))
    return "\n".join(lines)


def document(name: str, section: Section) -> dict[str, Any]:
    """Return a section as a JSON document."""
    return {
        "benchmark": name,
        "title": section.title,
        "unit": section.unit,
        "rows": [asdict(row) for row in section.rows()],
        "targets": [{**asdict(one.target), "reached": one.reached, "met": one.is_met} for one in verdicts(section)],
    }


def number(value: float | None) -> str:
    """Return a number in about three digits."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    if value == 0:
        return "0"
    return f"{value:.1f}" if value >= 20 else f"{value:.2f}" if abs(value) >= 0.05 else f"{value:.4f}"


def _row(name: str, own: Sequence[float], first: Sequence[float]) -> Row:
    low, middle, high = quantiles(own, n=4) if len(own) > 1 else [own[0]] * 3
    ratios = [mine / other for mine, other in zip(own, first, strict=False) if other]
    return Row(name, middle, (high - low) / 2 / middle if middle else 0, median(ratios) if ratios else None)
