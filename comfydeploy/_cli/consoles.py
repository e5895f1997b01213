"""Output to terminals and pipes of any kind."""

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class NoReaderError(Exception):
    """The reader of stdout has ended."""


def prepare_streams() -> None:
    """Make stdout and stderr replace characters that they cannot encode; output to a closed one is dropped."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the exit
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def console(*, is_stderr: bool = False) -> "Console":
    """Return a console that does not wrap lines for a pipe, and replaces characters that it cannot encode."""
    from rich.console import Console

    prepare_streams()
    stream = sys.stderr if is_stderr else sys.stdout

    class LastingConsole(Console):
        """A console that drops its output once the reader has ended, so that the command goes on."""

        def on_broken_pipe(self) -> None:
            """Drop the output from now on. Versions of rich that call this would exit."""
            self.quiet = True
            drop_output(stream)

    return LastingConsole(highlight=False, soft_wrap=not stream.isatty(), stderr=is_stderr)


@contextmanager
def survives_reader() -> Generator[None]:
    """Drop the output from now on if its reader has ended, with versions of rich that do not notice it."""
    try:
        yield
    except BrokenPipeError:
        drop_output(sys.stdout)


def drop_output(stream: IO[str]) -> None:
    """Drop the output of a stream from now on, also at the exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
