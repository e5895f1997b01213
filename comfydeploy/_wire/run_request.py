"""The body of every call that creates runs."""

from typing import Final

from comfydeploy._wire.codec import given, is_object, json_bytes, read
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.models.run_request import (
    DeploymentRunRequest,
    RunRequest,
    WorkflowRunRequest,
    WorkflowRunVersionRequest,
)

MAY_EXIST: Final = (
    "A run may have been created, and billed, all the same: the server is known to answer 500 after it started the "
    "runs of a request with batch_number, batch_input_params or is_native_run. Look before you send it again."
)
_FORMS: Final[tuple[tuple[str, type[RunRequest]], ...]] = (
    ("workflow_version_id", WorkflowRunVersionRequest),
    ("workflow_id", WorkflowRunRequest),
    ("deployment_id", DeploymentRunRequest),
)


def run_body(request: object) -> bytes:
    """Give a request as it goes over the wire, every value as it was given.

    Raises ``SDKValidationError`` for what is no such request, naming what does not fit.
    """
    if is_object(request):
        form = next((form for key, form in _FORMS if key in request), None)
        wire = dict(request)
    elif isinstance(request, WorkflowRunVersionRequest | WorkflowRunRequest | DeploymentRunRequest):
        form, wire = type(request), given(request)
    else:
        raise _wrong(f"expected a request model or a mapping, got {type(request).__name__}", request)
    if form is None:
        raise _wrong(f"required: one of {', '.join(key for key, _ in _FORMS)}", request)
    read(wire, form, "request")
    return json_bytes(wire, "request")


def _wrong(reason: str, value: object) -> SDKValidationError:
    return SDKValidationError(f"request: {reason}", (Problem("$", reason),), value)
