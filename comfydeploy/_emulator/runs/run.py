"""A run, and its JSON."""

import struct
from datetime import datetime
from operator import itemgetter
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from comfydeploy._emulator.clock import to_microseconds
from comfydeploy._emulator.deployments.deployment import GPU, USER, Deployment
from comfydeploy._emulator.deployments.forms import DeploymentRunRequest, RunRequest, WorkflowRunRequest
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.runs.output import InternalOutput, Output, OutputFile

STATUSES: Final = (
    "not-started",
    "queued",
    "started",
    "running",
    "uploading",
    "success",
    "failed",
    "timeout",
    "cancelled",
)
ENDED: Final = frozenset({"success", "failed", "timeout", "cancelled"})
_TIME_OF: Final = {"queued": "queued_at", "started": "started_at"} | dict.fromkeys(ENDED, "ended_at")


class Run(BaseModel):
    """A run as it is at one moment; the fields stand in the order of the server's response."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    id: str
    workflow_version_id: str | None
    workflow_inputs: dict[str, Any]
    workflow_id: str
    machine_id: str
    origin: str | None
    status: str = "not-started"
    ended_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    queued_at: datetime | None = None
    started_at: datetime | None = None
    gpu_event_id: str | None
    gpu: str
    machine_version: None = None
    machine_type: str = "comfy-deploy-serverless"
    modal_function_call_id: str | None
    user_id: str = USER
    org_id: None = None
    live_status: str | None = None
    progress: float = 0.0
    is_realtime: bool = False
    webhook: str | None
    webhook_status: None = None
    webhook_intermediate_status: bool
    outputs: tuple[Output, ...] = ()
    number: int = 0
    # Only in the lists of runs.
    deployment_id: str | None = None
    batch_id: str | None = None
    internal_outputs: tuple[InternalOutput, ...] = ()

    @property
    def files(self) -> list[OutputFile]:
        """The files of all outputs."""
        return [file for output in self.outputs for file in output.files]

    @property
    def shown_progress(self) -> float:
        """The progress in single precision, as responses have it: 0.83 becomes 0.8299999833106995."""
        rounded: float = struct.unpack("f", struct.pack("f", self.progress))[0]
        return rounded

    def changed(self, now: datetime, **fields: Any) -> "Run":
        """Return the run with changed fields; a status sets its time."""
        times = {"updated_at": now}
        if moment := _TIME_OF.get(fields.get("status", "")):
            times[moment] = now
        return self.model_copy(update={**fields, **times})

    def run_json(self, base: str, queue_position: int | None = None) -> dict[str, Any]:
        """Return the run as ``GET /run/{run_id}`` has it."""
        plain = {
            key: to_microseconds(value) if isinstance(value, datetime) else value
            for key, value in self.model_dump(
                exclude={"outputs", "deployment_id", "batch_id", "internal_outputs"}
            ).items()
        }
        number = plain.pop("number")
        return {
            **plain,
            "progress": self.shown_progress,
            "outputs": [output.output_json(base) for output in self.outputs],
            "number": number,
            "duration": _seconds(self.created_at, self.ended_at),
            "cold_start_duration": _seconds(self.queued_at, self.started_at),
            "cold_start_duration_total": _seconds(self.created_at, self.started_at),
            "run_duration": _seconds(self.started_at, self.ended_at),
            "queue_position": queue_position,
        }

    def output_rows(self, base: str) -> list[dict[str, Any]]:
        """Return all outputs, newest first, as the rows of a workflow's runs have them."""
        rows = [
            *((one.created_at, one.webhook_json(base)) for one in self.outputs),
            *((one.created_at, one.row_json(self.id)) for one in self.internal_outputs),
        ]
        # Of the same moment, what was added last is the newest.
        return [row for _, row in sorted(rows, key=itemgetter(0))][::-1]

    def webhook_json(self, base: str, event_type: str) -> dict[str, Any]:
        """Return the run as webhooks have it; outputs are included once it has ended."""
        return {
            "event_type": event_type,
            "status": self.status,
            "live_status": self.live_status,
            "progress": self.shown_progress,
            "run_id": self.id,
            "outputs": [output.webhook_json(base) for output in self.outputs if self.status in ENDED],
        }


def new_runs(form: RunRequest, deployment: Deployment, now: datetime, ids: Ids, *, own_call: bool = True) -> list[Run]:
    """Create the runs of a request: one, or all of a batch.

    ``own_call``: each run has a function call of its own, so that it can be cancelled.
    """
    batch_id = ids.uuid() if form.is_batch else None
    return [
        Run(
            id=ids.uuid(),
            workflow_version_id=None if isinstance(form, WorkflowRunRequest) else deployment.version_id,
            workflow_inputs=inputs,
            workflow_id=deployment.workflow_id,
            machine_id=deployment.machine_id,
            origin=form.origin,
            created_at=now,
            updated_at=now,
            gpu_event_id=form.gpu_event_id,
            gpu=deployment.settings.gpu or form.gpu or GPU,
            modal_function_call_id=ids.function_call() if own_call and not batch_id else None,
            webhook=form.webhook,
            webhook_intermediate_status=bool(form.webhook_intermediate_status),
            deployment_id=deployment.id if isinstance(form, DeploymentRunRequest) else None,
            batch_id=batch_id,
        )
        for inputs in form.combinations()
    ]


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None
