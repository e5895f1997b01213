"""The forms in which a run may be asked for, and how a request that fits none is answered."""

from itertools import product
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

V = TypeVar("V")
Place: TypeAlias = tuple[str | int, ...]

InputValue: TypeAlias = str | int | float | bool | list[Any]
Gpu: TypeAlias = Literal["CPU", "T4", "L4", "A10G", "L40S", "A100", "A100-80GB", "H100", "H200", "B200"]
ExecutionMode: TypeAlias = Literal["async", "sync", "sync_first_result", "stream"]

LARGEST_BATCH: Final = 1000


class _RunForm(BaseModel):
    """What every form may carry."""

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
        """Whether several runs are asked for, if only by naming what would vary."""
        return (self.batch_number or 1) > 1 or self.batch_input_params is not None

    def combinations(self) -> list[dict[str, Any]]:
        """List the inputs of every run that is asked for: at least one, at most ``LARGEST_BATCH``."""
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
    """Run a graph of one's own on a machine."""

    workflow_id: UUID
    workflow_api_json: dict[str, Any]
    workflow: Any = None
    machine_id: UUID | None = None


class DeploymentRunRequest(_RunForm):
    """Run a deployment."""

    deployment_id: UUID


class ModelRunRequest(_RunForm):
    """Run one of the service's own models, of which there is none here."""

    model_id: str


RunRequest: TypeAlias = WorkflowRunVersionRequest | WorkflowRunRequest | DeploymentRunRequest | ModelRunRequest

ANY_FORM: Final[TypeAdapter[RunRequest]] = TypeAdapter(
    Annotated[RunRequest, Field(union_mode="left_to_right")]  # several forms may fit: the first one wins
)
WORKFLOW_FORM: Final = TypeAdapter[RunRequest](WorkflowRunRequest)
DEPLOYMENT_FORM: Final = TypeAdapter[RunRequest](DeploymentRunRequest)


class UnprocessableError(Exception):
    """A request that does not fit; ``problems`` is the detail of the 422."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(problems)
        self.problems: Final = problems

    def __str__(self) -> str:
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'request'}: {one['msg']}" for one in self.problems)


def problem(kind: str, place: Place, message: str, value: object, **context: str) -> dict[str, Any]:
    """Describe one thing that is wrong with a request."""
    described = {"type": kind, "loc": place, "msg": message, "input": value}
    return {**described, "ctx": context} if context else described


def checked(adapter: TypeAdapter[V], value: object, place: Place) -> V:
    """Return the value as the adapter's type, or raise what is wrong with it."""
    try:
        # FastAPI reads attributes too, which decides how it words the problem of a body that is no object.
        return adapter.validate_python(value, from_attributes=True)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise UnprocessableError([{**one, "loc": (*place, *one["loc"])} for one in found]) from None


def read(adapter: TypeAdapter[V], raw: bytes, content_type: str) -> V:
    """Read the body of a request that has to be JSON of the adapter's type."""
    body = _decoded(raw) if _is_json(content_type) else raw.decode(errors="replace")
    if body is None or not raw:
        raise UnprocessableError([problem("missing", ("body",), "Field required", None)])
    return checked(adapter, body, ("body",))


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in ("", "application/json") or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _decoded(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        reason, _, where = str(error).rpartition(" at line ")
        column = int(where.rpartition(" ")[2])
        raise UnprocessableError(
            [problem("json_invalid", ("body", column), "JSON decode error", {}, error=reason)]
        ) from None
