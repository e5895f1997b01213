"""Signals that end a command: they close what is open, and the last words name the billed runs."""

import os
import signal
import sys
import time
from _thread import start_new_thread
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

_PAUSE = 0.02  # seconds
_KICKS = 5
_PATIENCE = 3.0  # seconds for calls that no signal ends
_SHOW_CURSOR = "\x1b[?25h"


class Interrupted(KeyboardInterrupt):
    """A signal has ended the command."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_at_signals(code: int | None = None) -> None:
    """Exit silently at a signal, with ``code`` or that of the signal: there is nothing to undo."""
    for number in _signals():
        signal.signal(number, lambda number, _: os._exit(128 + number if code is None else code))


class Interrupts:
    """Raises ``Interrupted`` at the first signal; at the second one writes the last words and exits.

    A signal that the parent process has set to be ignored, as ``nohup`` does, stays ignored.
    """

    def __init__(self, last_words: Callable[[], str]) -> None:
        self.number: int | None = None
        self._last_words = last_words
        self._is_lost = False
        self._reaction: Callable[[], object] | None = None
        self._earlier: dict[int, Any] = {}
        self._wakeup = -1

    def __enter__(self) -> Self:
        self._earlier = {number: signal.signal(number, self._receive) for number in _signals()}
        self._report, sys.unraisablehook = sys.unraisablehook, self._send_again
        if hasattr(signal, "pthread_kill"):
            reader, self._wakeup = os.pipe()
            os.set_blocking(self._wakeup, False)
            self._earlier[signal.SIGURG] = signal.signal(signal.SIGURG, lambda _, __: None)
            signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
            start_new_thread(self._insist, (reader,))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._wakeup >= 0:
            signal.set_wakeup_fd(-1)
            os.close(self._wakeup)
        sys.unraisablehook = self._report
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Generator[None]:
        """Raise ``Interrupted`` at the end of the block, because an exception within it would break an event loop."""
        self.react(lambda: None)
        try:
            yield
        finally:
            self._reaction = None
        if self.number is not None:
            raise Interrupted(self.number)

    def react(self, reaction: Callable[[], object]) -> None:
        """Call a function at the first signal within ``deferred``, or now if it has arrived."""
        self._reaction = reaction
        if self.number is not None:
            reaction()

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.number is None or self._is_lost:
            self.number, self._is_lost = number, False
            if self._reaction is None:
                raise Interrupted(number)
            self._reaction()
            return
        for one in _signals():
            signal.signal(one, signal.SIG_DFL)  # a third one ends a write that blocks
        self._leave(number)

    def _leave(self, number: int) -> NoReturn:
        with suppress(OSError):
            cursor = _SHOW_CURSOR if os.isatty(2) else ""
            os.write(2, f"{cursor}\n{self._last_words()}\n".encode(errors="replace"))
        os._exit(128 + number)

    def _insist(self, reader: int) -> None:
        """Make the main thread notice a signal during any wait, until the pipe is closed; runs in its own thread.

        A signal that comes just before a read begins does not end it: the interpreter would notice the signal only
        after the read, up to minutes later. ``SIGURG`` does nothing but end it. A look-up of a name, which no signal
        ends, is left to itself.
        """
        while received := os.read(reader, 64):
            numbers = received.strip(bytes([signal.SIGURG]))
            for _ in range(_KICKS if numbers else 0):
                time.sleep(_PAUSE)
                _send(signal.SIGURG)
            if numbers and self._is_unnoticed(numbers[0]):
                time.sleep(_PATIENCE)
                if self._is_unnoticed(numbers[0]):
                    self._leave(numbers[0])
        os.close(reader)

    def _is_unnoticed(self, number: int) -> bool:
        return self.number is None and signal.getsignal(number) == self._receive

    def _send_again(self, problem: "sys.UnraisableHookArgs") -> None:
        """Send a signal again if its exception was raised where Python drops it, as in ``__del__``."""
        if isinstance(problem.exc_value, Interrupted):
            self._is_lost = True
            start_new_thread(_send, (problem.exc_value.number,))
        else:
            self._report(problem)


def _send(number: int) -> None:
    if hasattr(signal, "pthread_kill"):
        from threading import main_thread

        signal.pthread_kill(main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _signals() -> Iterator[signal.Signals]:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            yield number
