"""Quirks of event streams: what a listener hears of what it is told."""

from collections.abc import Callable, Collection
from typing import Any, Final

from comfydeploy._emulator.events import Event, Fragment, Tell
from comfydeploy._emulator.quirks.catalogue import Quirk

LARGE: Final = 1000


def quirky_tell(tell: Tell, quirks: Collection[Quirk]) -> Tell:
    """Return what stands between a run and its listener under these quirks."""
    for quirk, change in _CHANGES.items():
        if quirk in quirks:
            tell = change(tell)
    return tell


class _Corrupted:
    """Lets the next line of the log into the middle of an event, and whatever else is told wait so long."""

    def __init__(self, tell: Tell) -> None:
        self._tell: Final = tell
        self._rest: bytes | None = None
        self._waiting: Final[list[Event | Fragment | None]] = []

    def __call__(self, event: Event | Fragment | None) -> None:
        if self._rest is None:
            self._begin(event)
        elif isinstance(event, Event) and event.name == "log_update":
            self._tell(event)
            self._end()
        else:
            self._waiting.append(event)
            if event is None:
                self._end()

    def _begin(self, event: Event | Fragment | None) -> None:
        if event is not None and len(written := event.encoded()) > LARGE:
            half = len(written) // 2
            self._rest = written[half:]
            self._tell(Fragment(written[:half]))
        else:
            self._tell(event)

    def _end(self) -> None:
        if self._rest is not None:
            self._tell(Fragment(self._rest))
        self._rest = None
        waiting = self._waiting[:]
        self._waiting.clear()
        for event in waiting:
            self(event)


def _endless_stream(tell: Tell) -> Tell:
    invalid = False

    def told(event: Event | Fragment | None) -> None:
        nonlocal invalid
        if not invalid:
            tell(event)
        if isinstance(event, Event) and "error" in event.data:
            invalid = True

    return told


def _silent_end(tell: Tell) -> Tell:
    def told(event: Event | Fragment | None) -> None:
        # What follows the end is told to nobody.
        tell(None if isinstance(event, Event) and _puts_out_null(event) else event)

    return told


def _puts_out_null(event: Event) -> bool:
    made: Any = event.data.get("data")
    if event.data.get("event") != "executed" or not made["output"]:
        return False
    return any(isinstance(items, list) and None in items for items in made["output"].values())


_CHANGES: Final[dict[Quirk, Callable[[Tell], Tell]]] = {
    Quirk.CORRUPTED_EVENTS: _Corrupted,
    Quirk.ENDLESS_STREAM: _endless_stream,
    Quirk.SILENT_END: _silent_end,
}
