"""The requests that follow many runs, as values, and how many of them may be sent."""

from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from comfydeploy._wire.run_search import SearchScope
from comfydeploy._wire.steps import Sleep

A_SECOND: Final = 4.0
"""Requests a second, for any number of runs."""

BURST: Final = 20.0
"""Requests that may be sent at once after a pause."""

_ENOUGH: Final = 1.0 - 1e-6  # sums of floats fall short of 1


class ListRows(NamedTuple):
    """Read one page of v2 rows, newest first: the answer is a ``Result[list[WorkflowRunRow], Error]``."""

    workflow_id: str
    deployment_id: str | None
    status: str | None
    since: datetime | None
    limit: int
    offset: int
    seconds: float

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the operation."""
        page = {"workflow_id": self.workflow_id, "limit": self.limit, "offset": self.offset}
        return {**page, "rf": self.since, "status": self.status, "deployment_id": self.deployment_id}


class ReadRun(NamedTuple):
    """Read one run: the answer is a ``Result[WorkflowRunModel, Error]``."""

    run_id: str
    seconds: float

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the operation."""
        return {"run_id": self.run_id, "queue_position": None}


class FindWorkflow(NamedTuple):
    """Find the workflow of a deployment or a version: the answer is a ``Result[str, Error]``."""

    place: SearchScope


Request: TypeAlias = ListRows | ReadRun | FindWorkflow
Action: TypeAlias = Request | Sleep


class Allowance:
    """The number of requests that may be sent: some a second, and one more for each run that has ended."""

    def __init__(self, now: float) -> None:
        self._left = BURST
        self._at = now

    def wait(self, now: float) -> float:
        """Return the seconds until a request may be sent."""
        self._refill(now)
        return 0.0 if self._left >= _ENOUGH else (1.0 - self._left) / A_SECOND

    def take(self, now: float) -> None:
        """Count a request."""
        self._refill(now)
        self._left -= 1.0

    def grant(self, requests: int) -> None:
        """Allow some more requests."""
        self._left = min(self._left + requests, BURST)

    def _refill(self, now: float) -> None:
        self._left = min(self._left + max(now - self._at, 0.0) * A_SECOND, BURST)
        self._at = now
