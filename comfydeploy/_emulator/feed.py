"""What happens to runs, for those who watch: their latest events, and a word whenever something has changed."""

import asyncio
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.events import Event

LATEST_EVENTS: Final = 300
LATEST_RUNS: Final = 100


@dataclass(frozen=True)
class Heard:
    """An event, and when it was told."""

    moment: datetime
    event: Event

    @property
    def kind(self) -> str:
        """What the event says it is, or else its name."""
        return str(self.event.data.get("event") or self.event.name)


@dataclass
class History:
    """The events of a run: how many there were, and the latest of them."""

    count: int = 0
    latest: deque[Heard] = field(default_factory=lambda: deque(maxlen=LATEST_EVENTS))


class Feed:
    """Hears everything that happens to runs; keeps the events of the latest runs only, in memory."""

    def __init__(self, clock: Clock) -> None:
        self.has_ended = False
        self._clock: Final = clock
        self._histories: Final[dict[str, History]] = {}
        self._watchers: Final[dict[str | None, set[asyncio.Event]]] = {}

    def begun(self, run_id: str) -> None:
        """Hear that a run begins."""
        self._histories[run_id] = History()
        if len(self._histories) > LATEST_RUNS:
            del self._histories[next(iter(self._histories))]
        self.changed(run_id)

    def told(self, run_id: str, event: Event) -> None:
        """Hear an event of a run."""
        if history := self._histories.get(run_id):
            history.count += 1
            history.latest.append(Heard(self._clock.now(), event))
            self._wake(run_id)

    def changed(self, run_id: str) -> None:
        """Hear that a run is not as it was, or that its webhook has been told so."""
        self._wake(run_id)
        self._wake(None)

    def history(self, run_id: str) -> History | None:
        """Return the events of a run, if they are still kept."""
        return self._histories.get(run_id)

    @contextmanager
    def watch(self, run_id: str | None) -> Generator[asyncio.Event]:
        """Give an event that is set whenever something happens to a run, or, with ``None``, when any run changes."""
        watchers = self._watchers.setdefault(run_id, set())
        watcher = asyncio.Event()
        watchers.add(watcher)
        try:
            yield watcher
        finally:
            watchers.remove(watcher)
            if not watchers:
                self._watchers.pop(run_id, None)

    def end(self) -> None:
        """Tell all who watch that nothing will happen any more."""
        self.has_ended = True
        for run_id in self._watchers:
            self._wake(run_id)

    def _wake(self, run_id: str | None) -> None:
        for watcher in self._watchers.get(run_id, ()):
            watcher.set()
