"""A deadline that travels inside the time limits of a request, down to the socket."""

from collections.abc import Mapping
from typing import Final, Self

_LEAST: Final = 0.001  # because a socket takes 0 for "do not wait", which is another error


class Until(float):
    """A limit in seconds that also ends at a moment: ``at``, on the clock of ``time.monotonic``."""

    at: float

    def __new__(cls, seconds: float, at: float) -> Self:
        """Create a limit; httpx and httpcore pass it on as the number that it is."""
        made = super().__new__(cls, seconds)
        made.at = at
        return made


def limited(limits: Mapping[str, float | None], at: float, now: float) -> dict[str, float | None]:
    """Return the limits of a request, each of which also ends at the deadline."""
    left = max(at - now, _LEAST)
    return {name: Until(left if limit is None else min(limit, left), at) for name, limit in limits.items()}


def started(limit: float | None, now: float) -> float | None:
    """Return a limit for an operation of several steps, which share it from now on."""
    return limit if limit is None or isinstance(limit, Until) else Until(limit, now + limit)


def remaining(limit: float | None, now: float) -> float | None:
    """Return the seconds that a step may take from now on, 0 or less when there are none left."""
    return min(limit, limit.at - now) if isinstance(limit, Until) else limit
