"""Output to terminals and pipes of any kind, and the end of a command by a signal."""

import io
import os
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from types import FrameType

from rich.console import Console


class _Console(Console):
    """A console that drops its output once the reader has ended, as ``grep -m1`` does, and lets the command go on."""

    def on_broken_pipe(self) -> None:
        """Drop the output from now on; rich exits instead, in the versions that call this."""
        self.quiet = True
        _drop_output()


def console() -> Console:
    """Return a console that prints every line whole into a pipe, and replaces characters it cannot encode."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    return _Console(highlight=False, soft_wrap=not sys.stdout.isatty())


@contextmanager
def survives_reader() -> Generator[None]:
    """Drop the output from now on if its reader has ended, with the versions of rich that do not notice."""
    try:
        yield
    except BrokenPipeError:
        _drop_output()


@contextmanager
def unwound() -> Generator[None]:
    """Exit by an exception on SIGTERM and SIGHUP, so that folders are removed and the cursor is shown again."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with ExitStack() as exits:
        for name in ("SIGTERM", "SIGHUP"):
            # Windows has no SIGHUP.
            if number := getattr(signal, name, None):
                exits.callback(signal.signal, number, signal.signal(number, leave))
        yield


def _drop_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
