"""The steps of a follower of a run, and the answer to a step.

``seconds`` is a duration: of a pause, or the time limit of one request, which is sent once.
"""

from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import WaitError, WatchItem
from comfydeploy.result import Result


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


class Poll(NamedTuple):
    """Read the run: the answer is a ``Result[WorkflowRunModel, Error]``."""

    queue_position: bool
    seconds: float

    def arguments(self, run_id: str) -> dict[str, Any]:
        """Return the arguments of the operation."""
        return {"run_id": run_id, "queue_position": self.queue_position or None}


class ReadRows(NamedTuple):
    """Read v1 rows with their outputs: the answer is a ``Result[list[WorkflowRunRow], Error]``."""

    workflow_id: str
    limit: int
    offset: int
    seconds: float

    def arguments(self, _run_id: str) -> dict[str, Any]:
        """Return the arguments of the operation."""
        page = {"workflow_id": self.workflow_id, "limit": self.limit, "offset": self.offset}
        return {**page, "with_outputs": True, "with_inputs": False}


class ReadNewerRows(NamedTuple):
    """Read v2 rows created at or after ``since``: the answer is a ``Result[list[WorkflowRunRow], Error]``."""

    workflow_id: str
    since: datetime
    limit: int
    offset: int
    seconds: float

    def arguments(self, _run_id: str) -> dict[str, Any]:
        """Return the arguments of the operation."""
        page = {"workflow_id": self.workflow_id, "limit": self.limit, "offset": self.offset}
        return {**page, "rf": self.since, "status": None, "deployment_id": None}


class ReadLogs(NamedTuple):
    """Read the archived log of the run: the answer is a ``Result[list[RunLog], Error]``."""

    seconds: float

    def arguments(self, run_id: str) -> dict[str, Any]:
        """Return the arguments of the operation."""
        return {"run_id": run_id}


class Cancel(NamedTuple):
    """Cancel the run: the answer is a ``Result[CancelRunResponse, Error]``."""

    seconds: float

    def arguments(self, run_id: str) -> dict[str, Any]:
        """Return the arguments of the operation."""
        return {"run_id": run_id}


class Emit(NamedTuple):
    """Pass an item to the caller."""

    item: WatchItem


class Done(NamedTuple):
    """Stop: this is the result, and the last item of a watch."""

    result: Result[WorkflowRunModel, WaitError]


Request: TypeAlias = Poll | ReadRows | ReadNewerRows | ReadLogs | Cancel
Step: TypeAlias = Sleep | Request | Emit | Done


class Answer(NamedTuple):
    """The answer to a step: the result of a request or ``None``, the monotonic time, a random number from 0 to 1."""

    result: Any
    now: float
    dice: float
