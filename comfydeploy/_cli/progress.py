"""Live progress on stderr, from the states of runs."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from comfydeploy._cli.consoles import console
from comfydeploy._cli.output import Output
from comfydeploy._cli.progress_line import Watched, progress_line, progress_lines
from comfydeploy.models.run import WorkflowRunModel

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_FRAMES: Final = 4
_STYLES: Final = {
    "not-started": "yellow",
    "queued": "yellow",
    "running": "cyan",
    "success": "green",
    "failed": "red",
    "timeout": "red",
    "cancelled": "yellow",
}


class Progress:
    """Shows runs while a command waits: live lines in a terminal, a line at each change of status elsewhere.

    ``is_quiet``: nothing is shown where there is no terminal.
    """

    def __init__(self, out: Output, run_ids: tuple[str, ...] = (), *, is_quiet: bool = False) -> None:
        self._out = out
        self._is_quiet = is_quiet
        self._begun = monotonic()
        self._watched = {run_id: Watched(_name(run_id, run_ids)) for run_id in run_ids}
        self._live: Live | None = None

    def show(self, run: WorkflowRunModel) -> None:
        """Show a state of a run."""
        before = self._watched.get(run.id, Watched())
        watched = before._replace(run=run)
        self._watched[run.id] = watched
        has_changed = before.run is None or before.run.status != run.status
        if self._live is None and has_changed and not self._is_quiet:
            self._out.note(progress_line(watched, monotonic() - self._begun, sys.maxsize, is_ascii=True))

    def say(self, note: str) -> None:
        """Show the current step while there is no state of a run yet."""
        self._watched.setdefault("", Watched())
        self._watched[""] = self._watched[""]._replace(note=note)

    def begin(self, run_id: str) -> None:
        """Show a run in place of the note."""
        self._watched = {run_id: Watched()}

    @property
    def is_live(self) -> bool:
        """Whether there are live lines, which would mix with other output."""
        return self._live is not None

    @contextmanager
    def paused(self, ended: str | None = None) -> Generator[None]:
        """Clear the live lines while other output is written; a run that has ended is removed."""
        if ended is not None:
            self._watched.pop(ended, None)
        live = self._live
        if live is None:
            yield
            return
        live.stop()
        try:
            yield
        finally:
            live.start()

    def __enter__(self) -> Self:
        if self._out.is_live:
            from rich.live import Live

            live = Live(
                console=console(is_stderr=True),
                get_renderable=self._rendered,
                refresh_per_second=_FRAMES,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            live.start()
            self._live = live
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _rendered(self) -> "Text":
        from rich.text import Text

        terminal = console(is_stderr=True)
        is_ascii = not terminal.encoding.startswith("utf")
        lines = progress_lines(
            [*self._watched.values()], monotonic() - self._begun, terminal.width - 1, is_ascii=is_ascii
        )
        text = Text("\n".join(lines), no_wrap=True, overflow="crop")
        for status, style in _STYLES.items():
            text.highlight_words([status], style)
        return text


def _name(run_id: str, run_ids: tuple[str, ...]) -> str:
    return run_id[:8] if len(run_ids) > 1 else ""
