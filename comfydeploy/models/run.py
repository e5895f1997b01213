"""A run, as the server describes it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from attrs import field, frozen

from comfydeploy.models.document import Document
from comfydeploy.models.run_output import WorkflowRunOutputModel

if TYPE_CHECKING:
    from comfydeploy.models.output_file import OutputFile

RunStatus: TypeAlias = Literal[
    "not-started", "queued", "started", "running", "uploading", "success", "failed", "timeout", "cancelled"
]
ENDED: Final = frozenset({"success", "failed", "timeout", "cancelled"})
_KNOWN: Final = frozenset(get_args(RunStatus))
_WITHOUT_OUTPUTS: Final = (
    "The run succeeded without outputs: no node of its graph saves a result, or their upload failed; "
    "the log of the run (run_logs) has the reason of a failed upload"
)


def has_ended(status: str, ended_at: datetime | None) -> bool:
    """Return whether a run has ended; an unknown status is an end only where ``ended_at`` is set."""
    return status in ENDED or (ended_at is not None and status not in _KNOWN)


@frozen(kw_only=True, repr=False)
class WorkflowRunModel(Document):
    """The state of a run: ``GET /run/{run_id}``.

    ``status`` may be a text that this version does not know. ``not-started`` is waiting, ``queued`` means that a
    container has accepted it. ``progress`` goes from 0 to 1 and may be below 1 on success. Durations are in seconds,
    times are aware and in UTC; a time that cannot be read is ``None`` and ``raw`` has its text. The server sends no
    reason of a failure here: it is in the stream's ``execution_error`` event.
    """

    id: str
    status: RunStatus | str
    workflow_version_id: str | None = None
    workflow_inputs: Any = None
    workflow_id: str | None = None
    workflow_api: Any = None
    machine_id: str | None = None
    origin: str | None = None
    ended_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    gpu_event_id: str | None = None
    gpu: str | None = None
    machine_version: str | None = None
    machine_type: str | None = None
    modal_function_call_id: str | None = None
    user_id: str | None = None
    org_id: str | None = None
    live_status: str | None = None
    progress: float | None = None
    is_realtime: bool | None = None
    webhook: str | None = None
    webhook_status: str | None = None
    webhook_intermediate_status: bool | None = None
    outputs: list[WorkflowRunOutputModel] = field(factory=list[WorkflowRunOutputModel])
    number: float | None = None
    duration: float | None = None
    cold_start_duration: float | None = None
    cold_start_duration_total: float | None = None
    run_duration: float | None = None
    queue_position: int | None = None

    @property
    def is_ended(self) -> bool:
        """Whether the run has ended: success, failed, timeout, cancelled, or an unknown status with ``ended_at``."""
        return has_ended(self.status, self.ended_at)

    @property
    def is_success(self) -> bool:
        """Whether the run has succeeded. A success may be without outputs: see ``warning``."""
        return self.status == "success"

    @property
    def files(self) -> "list[OutputFile]":
        """Every file of every output, for ``file_download``; text and other values are in ``outputs``."""
        from comfydeploy.models.output_file import output_files

        return output_files(self.outputs)

    @property
    def warning(self) -> str | None:
        """A warning about a run that has succeeded, such as one without outputs, or ``None``."""
        has_outputs = any(output.data for output in self.outputs)
        return _WITHOUT_OUTPUTS if self.is_success and not has_outputs else None
