"""What a live display knows: the last state of each run, and what became of the jobs of a map. It has no clock."""

from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from comfydeploy._display.card import Bar, Card, Cell, Status, Table
from comfydeploy._display.cards import run_card
from comfydeploy._display.pictures import saved_pictures
from comfydeploy._display.plain import printable
from comfydeploy._display.short import cut, short_value
from comfydeploy._display.units import counted, seconds_text
from comfydeploy.models.run import WorkflowRunModel

_PICTURES: Final = 6
_REASONS: Final = 5
_RUNS: Final = 20
_ID: Final = 8  # characters of a run's id on a line
_SOME: Final = 3  # runs on a line
_CELL: Final = 200


class Progress:
    """The progress of runs, or of the jobs of a map; ``total`` is how many jobs there are, where that is known."""

    def __init__(self) -> None:
        self.total: int | None = None
        self._runs: dict[str, WorkflowRunModel | None] = {}
        self._notes: dict[str, str] = {}
        self._ended: Counter[str] = Counter()
        self._reasons: deque[tuple[str, str]] = deque(maxlen=_REASONS)
        self._saved: deque[Path] = deque(maxlen=_PICTURES)
        self._is_map = False
        self._problem: str | None = None

    def take_run(self, run_id: str, run: WorkflowRunModel | None, note: str | None = None) -> None:
        """Take a state of a run, or what went wrong with it."""
        self._runs[run_id] = run or self._runs.get(run_id)
        if note is None:
            self._notes.pop(run_id, None)
        else:
            self._notes[run_id] = note

    def take_job(self, key: str, status: str, saved: Sequence[Path], note: str | None) -> None:
        """Take what became of a job."""
        self._is_map = True
        self._ended[status] += 1
        self._saved.extend(saved)
        if note is not None:
            self._reasons.append((short_value(key, _CELL), short_value(note, _CELL)))

    def take_problem(self, note: str) -> None:
        """Take why there is no run, or why the map cannot go on."""
        self._problem = note

    @property
    def mark(self) -> tuple[str, ...]:
        """What a line in a pipe is worth: the statuses of the runs."""
        return tuple(run.status if run else "" for run in self._runs.values())

    @property
    def is_over(self) -> bool:
        """Whether nothing follows: all runs have ended, or there is none to wait for."""
        runs = self._runs.values()
        return self._problem is not None or (bool(runs) and all(run is not None and run.is_ended for run in runs))

    def line(self, elapsed: float, width: int) -> str:
        """Return the progress as one line of text."""
        parts = self._map_parts() if self._is_map else self._run_parts()
        parts += [short_value(self._problem, _CELL)] if self._problem else []
        end = f"  {seconds_text(elapsed)}"
        return cut(printable("  ".join(parts)), max(width - len(end), 1)) + end

    def card(self, elapsed: float) -> Card:
        """Return the progress as a card."""
        time: tuple[str, Cell] = ("elapsed", seconds_text(elapsed))
        if self._is_map:
            return self._map_card(time)
        if len(self._runs) > 1:
            rows = tuple(self._row(run_id) for run_id in [*self._runs][-_RUNS:])
            table = Table("", ("run", "status", "progress", "live status"), rows, max(len(self._runs) - _RUNS, 0))
            return Card("Runs", counted(len(self._runs), "run"), facts=(time,), tables=(table,))
        for run_id, run in self._runs.items():
            note = self._notes.get(run_id)
            card = run_card(run, note) if run else Card("Run", run_id, "queued", note=note)
            return Card(card.kind, card.name, card.status, (*card.facts, time), card.tables, card.pictures, card.note)
        return Card("Run", status="error", facts=(time,), note=self._problem)

    def _map_card(self, time: tuple[str, Cell]) -> Card:
        done = self._ended.total()
        facts: list[tuple[str, Cell]] = [("progress", Bar(done / self.total))] if self.total else []
        facts += [(status, f"{count:,}") for status, count in sorted(self._ended.items())]
        tables = (Table("Last failures", ("job", "reason"), tuple(self._reasons)),) if self._reasons else ()
        return Card(
            "Map", f"{self._counts()} ended", None, (*facts, time), tables, saved_pictures([*self._saved][::-1])
        )

    def _map_parts(self) -> list[str]:
        return [self._counts(), *(f"{count:,} {status}" for status, count in sorted(self._ended.items()))]

    def _counts(self) -> str:
        done = self._ended.total()
        return counted(done, "job") if self.total is None else f"{done:,} of {counted(self.total, 'job')}"

    def _run_parts(self) -> list[str]:
        runs = [*self._runs.items()]
        if len(runs) > _SOME:
            counts = Counter(run.status if run else "queued" for _, run in runs)
            return [counted(len(runs), "run"), *(f"{count:,} {status}" for status, count in sorted(counts.items()))]
        return [part for run_id, run in runs for part in _run_parts(run_id, run, self._notes.get(run_id))]

    def _row(self, run_id: str) -> tuple[Cell, ...]:
        run = self._runs[run_id]
        if run is None:
            return run_id, Status("queued"), "", short_value(self._notes.get(run_id, ""), _CELL)
        bar: Cell = Bar(min(max(run.progress, 0.0), 1.0)) if run.progress is not None and not run.is_ended else ""
        said = self._notes.get(run_id) or ("" if run.is_success else run.live_status or "")
        return run_id, Status(str(run.status)), bar, short_value(said, _CELL)


def _run_parts(run_id: str, run: WorkflowRunModel | None, note: str | None) -> list[str]:
    name = f"run {run_id[:_ID]}"
    if run is None:
        return [name, "queued", *([short_value(note, _CELL)] if note else [])]
    going = not run.is_ended
    place = f"position {run.queue_position:,} in the queue" if going and run.queue_position is not None else ""
    share = f"{run.progress:.0%}" if going and run.progress is not None else ""
    said = note or (run.live_status if going else "") or ""
    return [part for part in (name, short_value(run.status, _CELL), place, share, short_value(said, _CELL)) if part]
