"""Signals that end a command: they unwind what is open, and what was paid for is named on the way out."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

_PAUSE = 0.01  # seconds until an interrupt that was lost is sent again
_SHOW_CURSOR = "\x1b[?25h"


class Interrupted(KeyboardInterrupt):
    """A signal has ended the command."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_at_signals(code: int | None = None) -> None:
    """Exit without a word at a signal, with ``code`` or that of the signal: there is nothing to undo."""
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
        self._earlier: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._earlier = {number: signal.signal(number, self._receive) for number in _signals()}
        self._report, sys.unraisablehook = sys.unraisablehook, self._send_again
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.unraisablehook = self._report
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.number is None or self._is_lost:
            self.number, self._is_lost = number, False
            raise Interrupted(number)
        for one in _signals():
            signal.signal(one, signal.SIG_DFL)  # a third one ends a write that blocks
        with suppress(OSError):
            cursor = _SHOW_CURSOR if os.isatty(2) else ""
            os.write(2, f"{cursor}\n{self._last_words()}\n".encode(errors="replace"))
        os._exit(128 + number)

    def _send_again(self, problem: "sys.UnraisableHookArgs") -> None:
        """Send a signal again whose exception was raised where Python drops it, as in ``__del__``."""
        if not isinstance(problem.exc_value, Interrupted):
            self._report(problem)
            return
        from threading import Timer

        self._is_lost = True
        Timer(_PAUSE, _send, (problem.exc_value.number,)).start()


def _send(number: int) -> None:
    if hasattr(signal, "pthread_kill"):
        from threading import main_thread

        signal.pthread_kill(main_thread().ident or 0, number)  # which ends a read that it waits in
    else:
        signal.raise_signal(number)


def _signals() -> Iterator[signal.Signals]:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            yield number
