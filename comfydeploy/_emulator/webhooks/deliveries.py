"""Webhook messages, and the requests that delivered them."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

KEPT: Final = 10_000


@dataclass(frozen=True)
class Delivery:
    """One request to the webhook of a run, and its response.

    ``attempt`` counts from 1. ``status`` is the status of the response; without a response it is ``None`` and ``error``
    has the reason.
    """

    run_id: str
    address: str
    method: str
    body: dict[str, Any]
    attempt: int
    status: int | None
    error: str | None

    @property
    def was_taken(self) -> bool:
        """Whether the receiver answered with a status below 400; then it is not sent again."""
        return self.status is not None and self.status < 400  # noqa: PLR2004 - where the errors of HTTP begin


@dataclass
class Message:
    """A message to a webhook: whether it is the ``last`` of its run, and how often it was sent."""

    run_id: str
    address: str
    body: dict[str, Any]
    last: bool
    attempts: int = 0


Send: TypeAlias = Callable[[Message], None]


class Deliveries:
    """The latest deliveries, oldest first; thread-safe."""

    def __init__(self) -> None:
        self._kept: Final[deque[Delivery]] = deque(maxlen=KEPT)
        self._lock: Final = threading.Lock()

    def add(self, delivery: Delivery) -> None:
        """Add a delivery; beyond the limit the oldest is dropped."""
        with self._lock:
            self._kept.append(delivery)

    def all(self) -> tuple[Delivery, ...]:
        """Return the deliveries so far."""
        with self._lock:
            return tuple(self._kept)
