"""The latest events of runs, and notifications of changes."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.runs.events import Event

LATEST_EVENTS: Final = 300
LATEST_RUNS: Final = 100


@dataclass(frozen=True)
class TimedEvent:
    """An event and its time."""

    moment: datetime
    event: Event

    @property
    def kind(self) -> str:
        """The kind of the event, or else its name."""
        return str(self.event.data.get("event") or self.event.name)


@dataclass
class History:
    """The events of a run: how many there were, and the latest of them."""

    count: int = 0
    latest: deque[TimedEvent] = field(default_factory=lambda: deque(maxlen=LATEST_EVENTS))


class Feed:
    """Keeps the events of the latest runs, in memory, and notifies those who watch a run."""

    def __init__(self, clock: Clock) -> None:
        self.has_ended = False
        self._clock: Final = clock
        self._histories: Final[dict[str, History]] = {}
        self._watchers: Final[dict[str | None, set[asyncio.Event]]] = {}
        self._subscribers: Final[list[Callable[[str], None]]] = []

    def run_started(self, run_id: str) -> None:
        """Add a new run."""
        self._histories[run_id] = History()
        if len(self._histories) > LATEST_RUNS:
            del self._histories[next(iter(self._histories))]
        self.run_changed(run_id)

    def add_event(self, run_id: str, event: Event) -> None:
        """Add an event of a run."""
        if history := self._histories.get(run_id):
            history.count += 1
            history.latest.append(TimedEvent(self._clock.now(), event))
            self._wake(run_id)

    def run_changed(self, run_id: str) -> None:
        """Notify that a run has changed."""
        for subscriber in self._subscribers:
            subscriber(run_id)
        self.delivered(run_id)

    def delivered(self, run_id: str) -> None:
        """Notify that the webhook deliveries of a run have changed."""
        self._wake(run_id)
        self._wake(None)

    def subscribe(self, subscriber: Callable[[str], None]) -> Callable[[], Awaitable[None]]:
        """Call ``subscriber`` with the id of each run that changes; return what ends that."""
        self._subscribers.append(subscriber)

        async def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

    def history(self, run_id: str) -> History | None:
        """Return the events of a run, if they are still kept."""
        return self._histories.get(run_id)

    @contextmanager
    def watch(self, run_id: str | None) -> Generator[asyncio.Event]:
        """Yield an event that is set at each event or change of a run, or, with ``None``, when any run changes."""
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
        """Wake all watchers at the end."""
        self.has_ended = True
        for run_id in self._watchers:
            self._wake(run_id)

    def _wake(self, run_id: str | None) -> None:
        for watcher in self._watchers.get(run_id, ()):
            watcher.set()
