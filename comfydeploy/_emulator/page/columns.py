"""The inputs of several runs side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from comfydeploy._emulator.page.writing import as_value
from comfydeploy._emulator.runs.run import Run

MOST: Final = 12
_IN_CAPTION: Final = 3


@dataclass(frozen=True)
class Columns:
    """The inputs that differ between runs, in the order of the runs' inputs, and those that are equal in all."""

    names: list[str]
    equal: list[tuple[str, str]]
    ranked: list[str]
    """The same names, the ones with the most different values first."""
    hidden: int = 0
    """How many more inputs differ than ``MOST``."""

    def cells(self, run: Run) -> list[tuple[str, str | None]]:
        """Return the inputs of a run for these columns: ``None`` where it has no such input."""
        return [(name, _value(run, name)) for name in self.names]

    def caption(self, run: Run) -> list[tuple[str, str]]:
        """Return the inputs in which a run differs most from the others."""
        cells = [(name, _value(run, name)) for name in self.ranked]
        return [(name, value) for name, value in cells if value is not None][:_IN_CAPTION]


def columns(runs: Sequence[Run], most: int = MOST) -> Columns:
    """Compare the inputs of runs; those of a single run are all shown."""
    names = dict.fromkeys(name for run in runs for name in run.workflow_inputs)
    values = {name: {_value(run, name) for run in runs} for name in names}
    differing = [name for name in names if len(runs) == 1 or len(values[name]) > 1]
    equal = [(name, value) for name in names if name not in differing for value in values[name] if value is not None]
    ranked = sorted(differing, key=lambda name: -len(values[name]))
    return Columns(differing[:most], equal, ranked, len(differing[most:]))


@dataclass(frozen=True)
class ComparedInput:
    """An input of runs that are compared."""

    name: str
    values: list[str | None]

    @property
    def differs(self) -> bool:
        """Whether it is not the same in all runs."""
        return len(set(self.values)) > 1


def compared_inputs(runs: Sequence[Run]) -> list[ComparedInput]:
    """Return the inputs of runs side by side, those that differ first."""
    names = dict.fromkeys(name for run in runs for name in run.workflow_inputs)
    found = [ComparedInput(name, [_value(run, name) for run in runs]) for name in names]
    return sorted(found, key=lambda one: not one.differs)


def _value(run: Run, name: str) -> str | None:
    inputs: dict[str, Any] = run.workflow_inputs
    return as_value(inputs[name]) if name in inputs else None
