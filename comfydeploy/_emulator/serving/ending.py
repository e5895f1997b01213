"""The end of a server in the foreground: signals."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType


@contextmanager
def ending() -> Generator[Callable[[], None]]:
    """Yield a function that waits for Ctrl-C or SIGTERM, which have no other effect meanwhile. Main thread only."""
    received = threading.Event()

    def receive(_signal: int, _frame: FrameType | None) -> None:
        received.set()

    def wait() -> None:
        # On Windows a wait without end would not notice Ctrl-C.
        while not received.wait(1):
            pass

    with ExitStack() as exits:
        for number in (signal.SIGINT, signal.SIGTERM):
            exits.callback(signal.signal, number, signal.signal(number, receive))
        yield wait
