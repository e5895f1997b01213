"""A deadline that travels inside the time limits of a request, down to the socket."""

from collections.abc import Mapping
from typing import Final, Self

_LEAST: Final = 0.001  # because a socket takes 0 for "do not wait", which is another error


class Until(float):
    """A limit in seconds that also ends at a moment: ``at``, on the clock of ``time.monotonic``.

    ``deadline`` is the deadline of the whole call in seconds, if that is where ``at`` comes from.
    """

    at: float
    deadline: float | None

    def __new__(cls, seconds: float, at: float, deadline: float | None = None) -> Self:
        """Create a limit; httpx and httpcore pass it on as the number that it is."""
        made = super().__new__(cls, seconds)
        made.at = at
        made.deadline = deadline
        return made


def limited(limits: Mapping[str, float | None], began: float, at: float, now: float) -> dict[str, float | None]:
    """Return the limits of a request, each of which also ends at the deadline of a call that began at ``began``."""
    left = max(at - now, _LEAST)
    whole = at - began
    return {name: Until(left if limit is None else min(limit, left), at, whole) for name, limit in limits.items()}


def late(seconds: float, phase: str) -> str:
    """Return the message for a deadline that has passed in a phase."""
    return f"The deadline of {seconds:g} s passed: {phase}"


def started(limit: float | None, now: float) -> float | None:
    """Return a limit for an operation of several steps, which share it from now on."""
    return limit if limit is None or isinstance(limit, Until) else Until(limit, now + limit)


def remaining(limit: float | None, now: float) -> float | None:
    """Return the seconds that a step may take from now on, 0 or less when there are none left."""
    return min(limit, limit.at - now) if isinstance(limit, Until) else limit
