"""How a server that has the terminal comes to its end."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType


@contextmanager
def ending() -> Generator[Callable[[], None]]:
    """Give a function that waits for Ctrl-C or SIGTERM, which do nothing else meanwhile. Main thread only."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    def wait() -> None:
        # On Windows a wait without end would not notice Ctrl-C.
        while not asked.wait(1):
            pass

    with ExitStack() as exits:
        for number in (signal.SIGINT, signal.SIGTERM):
            exits.callback(signal.signal, number, signal.signal(number, ask))
        yield wait
