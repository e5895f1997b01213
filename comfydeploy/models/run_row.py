"""The rows of a workflow's list of runs."""

from datetime import datetime
from typing import Any

from attrs import frozen

from comfydeploy.models.document import Document, NumberText
from comfydeploy.models.run import RunStatus, has_ended


@frozen(kw_only=True, repr=False)
class WorkflowRunRow(Document):
    """A run in the list of a workflow. ``raw`` has the remaining fields, such as the whole graph.

    ``batch_id`` is that of ``run_batch``. Times are aware and in UTC, durations in seconds.
    """

    id: str
    status: RunStatus | str
    workflow_id: str | None = None
    workflow_version_id: str | None = None
    deployment_id: str | None = None
    machine_id: str | None = None
    batch_id: str | None = None
    workflow_inputs: Any = None
    origin: str | None = None
    gpu: str | None = None
    live_status: str | None = None
    progress: float | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: NumberText | None = None
    run_duration: NumberText | None = None

    @property
    def is_ended(self) -> bool:
        """Whether the run has ended: success, failed, timeout, cancelled, or an unknown status with ``ended_at``."""
        return has_ended(self.status, self.ended_at)

    @property
    def is_success(self) -> bool:
        """Whether the run has succeeded."""
        return self.status == "success"
