"""The calls that create runs: the body of all of them, and what those of a kind have in common."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from comfydeploy._wire.codec import given, is_object, json_bytes, read
from comfydeploy._wire.operation import Operation, as_it_is, returning
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.models.run_request import (
    DeploymentRunRequest,
    WorkflowRunRequest,
    WorkflowRunVersionRequest,
)

if TYPE_CHECKING:
    from comfydeploy.models.create_run import CreateRunResponse
    from comfydeploy.models.run_output import WorkflowRunOutputModel

COLD_START: Final = 300.0
"""Seconds to wait for a run to be queued, which takes minutes where a machine has to be started first."""

MAY_EXIST: Final = (
    "A run may have been created, and billed, all the same: the server is known to answer 500 after it started the "
    "runs of a request with batch_number, batch_input_params or is_native_run. Look before you send it again."
)
NO_BATCH: Final = (
    "A run may have been created, and billed, all the same; only a batch is refused before anything is run."
)
Form = type[WorkflowRunVersionRequest] | type[WorkflowRunRequest] | type[DeploymentRunRequest]

# In this order, as the server tells them apart.
ANY_FORM: Final[tuple[Form, ...]] = (WorkflowRunVersionRequest, WorkflowRunRequest, DeploymentRunRequest)
_KEYS: Final[dict[Form, str]] = {
    WorkflowRunVersionRequest: "workflow_version_id",
    WorkflowRunRequest: "workflow_id",
    DeploymentRunRequest: "deployment_id",
}


def queueing(name: str, path: str, *forms: Form) -> "Operation[object, CreateRunResponse]":
    """Give an operation that creates a run from a request of one of these forms and answers with its id."""
    from comfydeploy.models.create_run import CreateRunResponse  # here: each kind loads the models of its answer only

    decode = returning(CreateRunResponse)
    return Operation(name, _creating(path, forms), decode, read_timeout=COLD_START, caution=MAY_EXIST)


def waiting(name: str, path: str, *forms: Form) -> "Operation[object, list[WorkflowRunOutputModel]]":
    """Give an operation that creates a run and answers with its outputs when it has ended, whenever that is."""
    from comfydeploy.models.run_output import WorkflowRunOutputModel

    decode = returning(list[WorkflowRunOutputModel])
    return Operation(name, _creating(path, forms), decode, read_timeout=None, caution=MAY_EXIST)


def streaming(name: str, path: str, *forms: Form) -> Operation[object, Reply]:
    """Give an operation that creates a run and answers with its events as they happen."""
    encode = _creating(path, forms)
    return Operation(name, encode, as_it_is, accept="text/event-stream", read_timeout=None, caution=NO_BATCH)


def _creating(path: str, forms: tuple[Form, ...]) -> Callable[[object], Request]:
    return lambda request: Request("POST", path, content=json_bytes(wire_form(request, forms), "request"))


def asking_with(**fixed: object) -> Callable[[object], Request]:
    """Give the ``encode`` of an operation of ``POST /run`` that sets these keys of the request, whatever it says."""
    return lambda request: Request("POST", "/run", content=json_bytes(wire_form(request, ANY_FORM) | fixed, "request"))


def asking_for_batch(request: object) -> Request:
    """Ask for a batch; without the keys of one the server would create a single run and tell no batch."""
    wire = wire_form(request, ANY_FORM)
    if (wire.get("batch_number") or 0) <= 1 and wire.get("batch_input_params") is None:
        raise _wrong("a batch needs batch_number above 1 or batch_input_params", request)
    return Request("POST", "/run", content=json_bytes(wire, "request"))


def wire_form(request: object, forms: tuple[Form, ...]) -> dict[str, Any]:
    """Give a request as it goes over the wire, every value as it was given.

    Raises ``SDKValidationError`` for what is no such request, naming what does not fit.
    """
    form: Form | None
    if isinstance(request, forms):
        form, wire = type(request), given(request)
    elif is_object(request):
        form = forms[0] if len(forms) == 1 else next((form for form in forms if _KEYS[form] in request), None)
        wire = dict(request)
    else:
        names = " or ".join(form.__name__ for form in forms)
        raise _wrong(f"expected a {names} or a mapping, got {type(request).__name__}", request)
    if form is None:
        raise _wrong(f"required: one of {', '.join(_KEYS[form] for form in forms)}", request)
    read(wire, form, "request")
    return wire


def _wrong(reason: str, value: object) -> SDKValidationError:
    return SDKValidationError(f"request: {reason}", (Problem("$", reason),), value)
