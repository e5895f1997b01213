"""The pauses between polls, in seconds. Times and random numbers are passed in."""

from datetime import UTC, datetime
from typing import Final

from attrs import frozen

from comfydeploy._wire.fate import GAVE_UP
from comfydeploy._wire.retry import http_date, retry_after
from comfydeploy.errors import ConnectionError, Error, RequestTimeoutError, SDKError

FIRST: Final = 0.25
"""The pause before the first poll, after the request that created the run."""

_GROWTH: Final = 1.5
_FAST: Final = 1.5
_SLOW: Final = 5.0
_QUIET: Final = 600.0
# After a change of status, the third pause of the start. From 0.25 on, a run of 10 s could take 21 requests, not 15.
_AGAIN: Final = 0.5625
_JITTER: Final = 0.1
_LONGEST: Final = 600.0

_TRANSIENT: Final = GAVE_UP | {429}
_SERVER_ERROR: Final = 500


@frozen
class Pace:
    """The pauses between polls: they grow from 0.25 s to 1.5 s and are 5 s after ten minutes with the same status.

    ``pause`` is the next one, ``changed_at`` the time of the last change of status.
    """

    changed_at: float
    pause: float = FIRST

    def next(self, now: float, *, has_changed: bool) -> "Pace":
        """Return the pace after a poll. Only a change of status makes it fast again."""
        if has_changed:
            return Pace(now, _AGAIN)
        if now - self.changed_at >= _QUIET:
            return Pace(self.changed_at, _SLOW)
        return Pace(self.changed_at, min(self.pause * _GROWTH, _FAST))


class Backoff:
    """The pauses between searches: they grow from 0.25 s to 5 s."""

    def __init__(self) -> None:
        self._pause = FIRST

    def next(self, dice: float) -> float:
        """Return the next pause, up to a tenth longer by a random number from 0 to 1."""
        pause, self._pause = self._pause, min(self._pause * _GROWTH, _SLOW)
        return spread(pause, dice)


def spread(pause: float, dice: float) -> float:
    """Return a pause that is up to a tenth longer, so that many waits do not poll together."""
    return pause * (1 + _JITTER * dice)


def is_transient(error: Error) -> bool:
    """Return whether a read that failed with this error may succeed when it is sent again."""
    if isinstance(error, SDKError):
        return error.status_code in _TRANSIENT or error.status_code >= _SERVER_ERROR
    return isinstance(error, ConnectionError | RequestTimeoutError)


def requested_pause(error: Error | None) -> float:
    """Return the pause that ``Retry-After`` requires, at most ten minutes, or 0 where it requires none.

    A date counts from the ``Date`` of the same response: the clock of this machine may be wrong.
    """
    if not isinstance(error, SDKError):
        return 0.0
    return min(retry_after(error.headers, _sent_at(error)) or 0.0, _LONGEST)


def _sent_at(error: SDKError) -> datetime:
    # Without a Date, a date in Retry-After requires nothing.
    return http_date(error.headers.get("date", "")) or datetime.max.replace(tzinfo=UTC)
