"""Which processes of a map are alive, by the locks that a database holds for their connections.

No clock is compared with that of another machine. A process that is stopped or slow keeps its connection, and its lock.
One whose connection is cut connects again within seconds, so only a lock that is missing for longer is that of a dead
process.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

ABSENCE: Final = 10.0
"""Seconds for which a lock is missing until its process counts as dead."""


def session_of(owner: str) -> str:
    """Return the session of an owner."""
    return owner.partition("/")[0]


class Presence:
    """The sessions whose lock was missing, each with the time at which this was first seen."""

    def __init__(self, absence: float) -> None:
        self._absence = absence
        self._missing: dict[str, float] = {}

    def saw(self, sessions: Iterable[str], living: AbstractSet[str], now: float) -> None:
        """Take what was seen of some sessions. ``living`` has those with a lock, read after their rows."""
        missing = {one: self._missing.get(one, now) for one in sessions if one not in living}
        known = {one: since for one, since in self._missing.items() if one not in living}
        self._missing = {**known, **missing}

    def is_alive(self, session: str, now: float) -> bool:
        """Return whether a session is alive."""
        return now - self._missing.get(session, now) < self._absence
