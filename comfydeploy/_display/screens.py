"""Where a live display is shown: an output of a notebook that is updated, or a line of a terminal."""

import sys
from importlib import import_module
from shutil import get_terminal_size
from typing import Any, Final, Protocol, TextIO

from comfydeploy._display.bundle import card_bundle
from comfydeploy._display.progress import Progress

_PAUSE: Final = 10.0  # seconds between lines in a pipe


class Screen(Protocol):
    """Shows a progress again and again."""

    @property
    def pause(self) -> float:
        """The least seconds between two states of a map, whose jobs may end by the thousand."""
        ...

    def show(self, progress: Progress, elapsed: float, *, last: bool) -> None:
        """Show the progress as it is now; ``last``: nothing follows."""
        ...


class Notebook:
    """An output of a cell, which is updated."""

    pause = 2.0  # because its server drops more than 1 MB a second, and there are pictures

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, progress: Progress, elapsed: float, *, last: bool) -> None:  # noqa: ARG002 - each state is shown alike
        """Replace the output."""
        bundle = card_bundle(progress.card(elapsed))
        if self._handle is None:
            self._handle = import_module("IPython.display").display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


class Terminal:
    """A line that is written over, where there is a terminal, else a line for each change of a status."""

    pause = 0.2

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._is_open = False
        self._mark: tuple[str, ...] | None = None
        self._shown_at = 0.0

    def show(self, progress: Progress, elapsed: float, *, last: bool) -> None:
        """Write the line."""
        if not self._file.isatty():
            is_due = progress.mark != self._mark or elapsed - self._shown_at >= _PAUSE
            if is_due or last:
                self._mark, self._shown_at = progress.mark, elapsed
                self._write(f"{progress.line(elapsed, 200)}\n")
            return
        end = "\n" if last else ""
        self._write(f"\r{progress.line(elapsed, get_terminal_size().columns - 1)}\x1b[K{end}")

    def _write(self, text: str) -> None:
        encoding = self._file.encoding or "utf-8"
        self._file.write(text.encode(encoding, "replace").decode(encoding))
        self._file.flush()


def screen(file: TextIO | None) -> Screen:
    """Return the notebook in which this process runs, else the terminal."""
    return Notebook() if file is None and _is_notebook() else Terminal(file or sys.stderr)


def _is_notebook() -> bool:
    ipython: Any = sys.modules.get("IPython")  # a notebook has loaded it
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "terminal" not in type(shell).__module__
