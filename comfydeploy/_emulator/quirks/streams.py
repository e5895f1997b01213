"""Quirks of event streams: what happens to events between a run and its listener."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

from comfydeploy._emulator.quirks.addresses import signed
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.runs.events import Event, Fragment, Listener

LARGE: Final = 1000


def quirky_listener(listener: Listener, quirks: Collection[Quirk], now: Callable[[], datetime]) -> Listener:
    """Wrap a listener so that it receives the events as these quirks change them."""
    if Quirk.EXPIRING_ADDRESSES in quirks:
        listener = _signed(listener, now)
    for quirk, change in _CHANGES.items():
        if quirk in quirks:
            listener = change(listener)
    return listener


class _Corrupted:
    """Inserts the next log line in the middle of a large event; other events wait for it."""

    def __init__(self, listener: Listener) -> None:
        self._listener: Final = listener
        self._rest: bytes | None = None
        self._waiting: Final[list[Event | Fragment | None]] = []

    def __call__(self, event: Event | Fragment | None) -> None:
        if self._rest is None:
            self._begin(event)
        elif isinstance(event, Event) and event.name == "log_update":
            self._listener(event)
            self._end()
        else:
            self._waiting.append(event)
            if event is None:
                self._end()

    def _begin(self, event: Event | Fragment | None) -> None:
        if event is not None and len(written := event.encoded()) > LARGE:
            half = len(written) // 2
            self._rest = written[half:]
            self._listener(Fragment(written[:half]))
        else:
            self._listener(event)

    def _end(self) -> None:
        if self._rest is not None:
            self._listener(Fragment(self._rest))
        self._rest = None
        waiting = self._waiting[:]
        self._waiting.clear()
        for event in waiting:
            self(event)


def _signed(listener: Listener, now: Callable[[], datetime]) -> Listener:
    def listen(event: Event | Fragment | None) -> None:
        listener(Event(event.name, signed(event.data, now())) if isinstance(event, Event) else event)

    return listen


def _endless_stream(listener: Listener) -> Listener:
    invalid = False

    def listen(event: Event | Fragment | None) -> None:
        nonlocal invalid
        if not invalid:
            listener(event)
        if isinstance(event, Event) and "error" in event.data and not event.data.get("node_errors"):
            invalid = True

    return listen


def _silent_end(listener: Listener) -> Listener:
    def listen(event: Event | Fragment | None) -> None:
        # The listener ignores the events after its end.
        listener(None if isinstance(event, Event) and _puts_out_null(event) else event)

    return listen


def _puts_out_null(event: Event) -> bool:
    made: Any = event.data.get("data")
    if event.data.get("event") != "executed" or not made["output"]:
        return False
    return any(isinstance(items, list) and None in items for items in made["output"].values())


_CHANGES: Final[dict[Quirk, Callable[[Listener], Listener]]] = {
    Quirk.CORRUPTED_EVENTS: _Corrupted,
    Quirk.ENDLESS_STREAM: _endless_stream,
    Quirk.SILENT_END: _silent_end,
}
