"""The forms of a request that creates runs."""

from itertools import product
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from comfydeploy._emulator.validation import UnprocessableError, problem

InputValue: TypeAlias = str | int | float | bool | list[Any]
Gpu: TypeAlias = Literal["CPU", "T4", "L4", "A10G", "L40S", "A100", "A100-80GB", "H100", "H200", "B200"]
ExecutionMode: TypeAlias = Literal["async", "sync", "sync_first_result", "stream"]

LARGEST_BATCH: Final = 1000


class _RunForm(BaseModel):
    """The fields of every form."""

    inputs: dict[str, InputValue] = {}
    webhook: str | None = None
    webhook_intermediate_status: bool | None = False
    gpu: Gpu | None = None
    gpu_event_id: str | None = None
    execution_mode: ExecutionMode | None = "async"
    origin: str | None = "api"
    batch_number: int | None = None
    batch_input_params: dict[str, list[Any]] | None = None
    is_native_run: bool | None = False
    flags: list[str] | None = None

    @property
    def is_batch(self) -> bool:
        """Whether this is a batch; naming a varying input is enough."""
        return (self.batch_number or 1) > 1 or self.batch_input_params is not None

    def combinations(self) -> list[dict[str, Any]]:
        """Return the inputs of each run: at least one, at most ``LARGEST_BATCH``."""
        varied = {key: values for key, values in (self.batch_input_params or {}).items() if values}
        times = max(1, self.batch_number or 1)
        size = times
        for values in varied.values():
            size *= len(values)
        if size > LARGEST_BATCH:
            message = f"A batch of {size} runs is too large for the emulator, which runs {LARGEST_BATCH} at once"
            raise UnprocessableError([problem("batch_too_large", ("body",), message, None)])
        return [
            {**self.inputs, **dict(zip(varied, values, strict=True))}
            for values in product(*varied.values())
            for _ in range(times)
        ]


class WorkflowRunVersionRequest(_RunForm):
    """Run a version of a workflow on a machine."""

    workflow_version_id: UUID
    machine_id: UUID | None = None


class WorkflowRunRequest(_RunForm):
    """Run the graph of the request on a machine."""

    workflow_id: UUID
    workflow_api_json: dict[str, Any]
    workflow: Any = None
    machine_id: UUID | None = None


class DeploymentRunRequest(_RunForm):
    """Run a deployment."""

    deployment_id: UUID


class ModelRunRequest(_RunForm):
    """Run one of the service's own models; the emulator has none."""

    model_id: str


RunRequest: TypeAlias = WorkflowRunVersionRequest | WorkflowRunRequest | DeploymentRunRequest | ModelRunRequest

ANY_FORM: Final[TypeAdapter[RunRequest]] = TypeAdapter(
    Annotated[RunRequest, Field(union_mode="left_to_right")]  # several forms may fit: the first one wins
)
WORKFLOW_FORM: Final = TypeAdapter[RunRequest](WorkflowRunRequest)
DEPLOYMENT_FORM: Final = TypeAdapter[RunRequest](DeploymentRunRequest)
