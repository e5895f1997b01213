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
    """Let stdout and stderr replace the characters that they cannot encode; one that is closed goes to nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the exit
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def console(*, is_stderr: bool = False) -> "Console":
    """Return a console that prints every line whole into a pipe, and replaces characters it cannot encode."""
    from rich.console import Console

    prepare_streams()
    stream = sys.stderr if is_stderr else sys.stdout

    class LastingConsole(Console):
        """A console that drops its output once the reader has ended, and lets the command go on."""

        def on_broken_pipe(self) -> None:
            """Drop the output from now on; rich exits instead, in the versions that call this."""
            self.quiet = True
            drop_output(stream)

    return LastingConsole(highlight=False, soft_wrap=not stream.isatty(), stderr=is_stderr)


@contextmanager
def survives_reader() -> Generator[None]:
    """Drop the output from now on if its reader has ended, with the versions of rich that do not notice."""
    try:
        yield
    except BrokenPipeError:
        drop_output(sys.stdout)


def drop_output(stream: IO[str]) -> None:
    """Send what is written to a stream from now on, and at the exit, to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
