"""A deadline that travels inside the time limits of a request, down to the socket."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from comfydeploy.errors import Fate, RequestTimeoutError

_LEAST: Final = 0.001  # because for a socket 0 means "do not wait", which is another error


class Until(float):
    """A limit in seconds that also ends at a moment: ``at``, on the clock of ``time.monotonic``.

    ``deadline`` is the deadline of the call, where ``at`` is its end.
    """

    at: float
    deadline: "Deadline | None"

    def __new__(cls, seconds: float, at: float, deadline: "Deadline | None" = None) -> Self:
        """Create a limit; httpx and httpcore pass it on as the number that it is."""
        made = super().__new__(cls, seconds)
        made.at = at
        made.deadline = deadline
        return made


class Deadline(NamedTuple):
    """When a call began and when it has to end, on the clock of ``time.monotonic``."""

    began: float
    at: float

    def has_passed(self, now: float) -> bool:
        """Check whether the deadline has passed."""
        return now >= self.at

    def limited(self, limits: Mapping[str, float | None], now: float) -> dict[str, float | None]:
        """Return the limits of a request, each of which also ends at the deadline."""
        left = max(self.at - now, _LEAST)
        return {
            name: Until(left if limit is None else min(limit, left), self.at, self) for name, limit in limits.items()
        }

    def exceeded(self, phase: str, fate: Fate, run_id: str | None = None) -> RequestTimeoutError:
        """Return the error of a call whose deadline has passed; ``phase`` completes "The deadline passed ..."."""
        return RequestTimeoutError(f"The deadline of {self.at - self.began:g} s passed {phase}", fate, run_id=run_id)


def started(limit: float | None, now: float) -> float | None:
    """Return a limit that several steps of an operation share from now on."""
    if isinstance(limit, Until):
        return Until(limit, min(limit.at, now + limit), limit.deadline)
    return None if limit is None else Until(limit, now + limit)


def shared(limit: float | None, steps: int, now: float) -> float | None:
    """Return the seconds for the next one of so many steps that are left."""
    left = remaining(limit, now)
    return None if left is None else left / steps


def remaining(limit: float | None, now: float) -> float | None:
    """Return the seconds that a step may take from now on, 0 or less when there are none left."""
    return min(limit, limit.at - now) if isinstance(limit, Until) else limit


def limits_of(request: Any) -> dict[str, float | None]:
    """Return the limits of a request of httpx or httpcore by their phases."""
    limits: dict[str, float | None] = request.extensions.get("timeout", {})
    return limits
