"""One of many runs that are followed."""

from datetime import datetime
from typing import Final

from attrs import define

from comfydeploy._wire.polling import spread

_UNSEEN: Final = 10.0
_FIRST: Final = 1.5
_GROWTH: Final = 1.5
_SLOW: Final = 5.0
# The server ends some runs only when they are read: those of a session that has ended.
_LONG: Final = 600.0


@define(eq=False)
class Followed:
    """The known state of a run, and when it is read by itself.

    ``was_listed``: a list has shown it. ``is_listed``: the last search that could show it did.
    """

    id: str
    added: float
    look_at: float
    pause: float = _FIRST
    status: str | None = None
    created: datetime | None = None
    was_listed: bool = False
    is_listed: bool = False

    @classmethod
    def new(cls, run_id: str, now: float) -> "Followed":
        """Create the state of a run that no list has shown yet."""
        return cls(run_id, now, now + _UNSEEN)

    def listed(self, now: float, dice: float) -> None:
        """Record that a list shows the run, so that it is read by itself after ten minutes only."""
        if not self.is_listed:
            self.was_listed = self.is_listed = True
            self.look_at = now + spread(_LONG, dice)

    def missed(self, now: float) -> None:
        """Read the run by itself from now on, because no list shows it."""
        if self.is_listed:
            self.is_listed = False
            self.pause = _FIRST
            self.look_at = now
        self.look_at = min(self.look_at, now + self.pause)

    def read(self, now: float, dice: float, least: float = 0.0) -> None:
        """Plan the next read of a run that has not ended, at least some seconds later."""
        self.look_at = now + max(spread(_LONG if self.is_listed else self.pause, dice), least)
        self.pause = min(self.pause * _GROWTH, _SLOW)
