"""The signals that end a server in the foreground."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType


@contextmanager
def ending() -> Generator[Callable[[], None]]:
    """Yield a function that waits for Ctrl-C, SIGTERM or SIGHUP, which have no other effect. Main thread only."""
    received = threading.Event()

    def receive(_signal: int, _frame: FrameType | None) -> None:
        received.set()

    def wait() -> None:
        # On Windows a wait without end would not notice Ctrl-C.
        while not received.wait(1):
            pass

    with ExitStack() as exits:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            # Windows has no SIGHUP.
            if number := getattr(signal, name, None):
                exits.callback(signal.signal, number, signal.signal(number, receive))
        yield wait
