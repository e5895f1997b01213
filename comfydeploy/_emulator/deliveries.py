"""What is told to webhooks, and what became of it."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

KEPT: Final = 10_000


@dataclass(frozen=True)
class Delivery:
    """One request to the webhook of a run, and its answer.

    ``attempt`` counts from 1. ``status`` is the status of the answer; without an answer it is ``None`` and ``error``
    says why.
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
        """Whether the receiver answered with a status below 400, so that it is not tried again."""
        return self.status is not None and self.status < 400  # noqa: PLR2004 - where the errors of HTTP begin


@dataclass
class Message:
    """What a webhook is to be told, the ``last`` of its run or not, and how often that was tried."""

    run_id: str
    address: str
    body: dict[str, Any]
    last: bool
    attempts: int = 0


class Deliveries:
    """The latest deliveries, oldest first; may be read from any thread."""

    def __init__(self) -> None:
        self._kept: Final[deque[Delivery]] = deque(maxlen=KEPT)
        self._lock: Final = threading.Lock()

    def add(self, delivery: Delivery) -> None:
        """Keep one more, at the cost of the oldest when there are too many."""
        with self._lock:
            self._kept.append(delivery)

    def all(self) -> tuple[Delivery, ...]:
        """Return what there is at this moment."""
        with self._lock:
            return tuple(self._kept)
