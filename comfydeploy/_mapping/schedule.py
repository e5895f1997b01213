"""The start of jobs, the pauses between requests, and the order of items: all pure."""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from comfydeploy._wire.polling import is_transient, requested_pause, spread
from comfydeploy.errors import Error
from comfydeploy.mapping import MapItem

_FIRST: Final = 1.0
_SLOWEST: Final = 60.0
_NEGLIGIBLE: Final = 0.05


class Slots:
    """The number of jobs in work. Jobs in doubt wait long and are counted separately."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._working: set[int] = set()
        self._doubtful: set[int] = set()

    @property
    def has_room(self) -> bool:
        """Whether another job may begin."""
        return max(len(self._working), len(self._doubtful)) < self._at_once

    def put(self, job: int, *, is_doubtful: bool = False) -> None:
        """Count a job."""
        self.remove(job)
        (self._doubtful if is_doubtful else self._working).add(job)

    def remove(self, job: int) -> None:
        """Remove a job from the count."""
        self._working.discard(job)
        self._doubtful.discard(job)


class Pacing:
    """The pauses between requests that create runs: none, until the server or the network refuses some."""

    def __init__(self) -> None:
        self._interval = 0.0
        self._not_before = 0.0
        self._changed_at = 0.0

    def turn(self, now: float) -> float:
        """Return the seconds to wait until a request may be sent; with 0 it is counted."""
        if now < self._not_before:
            return self._not_before - now
        self._not_before = now + self._interval
        return 0.0

    def sent(self, error: Error | None, began: float, now: float, dice: float) -> None:
        """Take the outcome of a request: a transient error slows the map down, a success makes it faster again.

        Requests that were in flight together count once.
        """
        is_slowing = error is not None and is_transient(error)
        if began >= self._changed_at:
            faster = self._interval / 2 if self._interval > _NEGLIGIBLE else 0.0
            self._interval = min(max(2 * self._interval, _FIRST), _SLOWEST) if is_slowing else faster
            self._changed_at = now if is_slowing else self._changed_at
        if error is not None and is_slowing:
            pause = max(spread(self._interval, dice), requested_pause(error))
            self._not_before = max(self._not_before, now + pause)


class Order:
    """Puts items in the order of their jobs."""

    def __init__(self) -> None:
        self._next = 0
        self._waiting: list[tuple[int, MapItem]] = []

    def put(self, item: MapItem) -> Iterator[MapItem]:
        """Add an item, and yield those that are next in order; the failure of the map itself is the last one."""
        if item.index < 0:
            yield from self.rest()
            yield item
            return
        heappush(self._waiting, (item.index, item))
        while self._waiting and self._waiting[0][0] == self._next:
            self._next += 1
            yield heappop(self._waiting)[1]

    def rest(self) -> Iterator[MapItem]:
        """Yield the items after the gaps that are left at the end."""
        while self._waiting:
            yield heappop(self._waiting)[1]
