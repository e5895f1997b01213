"""The calls that create runs: their bodies, and the common parts of their operations."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from comfydeploy._wire.arguments import invalid_request
from comfydeploy._wire.codec import check, given, json_bytes
from comfydeploy._wire.fate import HOW_TO_FIND
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.operation import Operation, first_of, hinting, in_doubt, returning, returning_list, status
from comfydeploy._wire.request import Request
from comfydeploy.models.run_request import (
    DeploymentRunRequest,
    WorkflowRunRequest,
    WorkflowRunVersionRequest,
)

if TYPE_CHECKING:
    from comfydeploy._wire.open_stream import OpenStream
    from comfydeploy.models.create_run import CreateRunResponse
    from comfydeploy.models.run_output import WorkflowRunOutputModel
    from comfydeploy.models.run_stream import RunStream

COLD_START: Final = 300.0
"""Seconds to wait for a run to be queued, which takes minutes where a machine has to be started first."""

_NOT_FOUND: Final = hinting(
    "Nothing was run. A deployment_id is the UUID of a deployment, as deployments_list returns it: its name or its "
    "slug is not found.",
    when=status(404, containing=b"Deployment not found"),
)
MAY_EXIST: Final = first_of(
    hinting(
        "A run may have been created, and billed: the server is known to answer 500 after it started the runs of a "
        f"request with batch_number, batch_input_params or is_native_run. {HOW_TO_FIND}",
        when=in_doubt,
    ),
    _NOT_FOUND,
)
WITHOUT_IMAGE: Final = first_of(
    hinting(
        "The run may have succeeded, and is billed: the server answers so where the newest output has no images. "
        f"{HOW_TO_FIND} Use run_queue for a workflow with other outputs.",
        when=lambda reply: in_doubt(reply) or status(400, containing=b"No output found")(reply),
    ),
    _NOT_FOUND,
)
_ONLY_BATCH_IS_REFUSED: Final = first_of(
    hinting(
        "A run may have been created, and billed; only a batch is refused before anything is run. " + HOW_TO_FIND,
        when=in_doubt,
    ),
    _NOT_FOUND,
)
Form = type[WorkflowRunVersionRequest] | type[WorkflowRunRequest] | type[DeploymentRunRequest]

# In the order in which the server distinguishes them.
ANY_FORM: Final[tuple[Form, ...]] = (WorkflowRunVersionRequest, WorkflowRunRequest, DeploymentRunRequest)
_KEYS: Final[dict[Form, str]] = {
    WorkflowRunVersionRequest: "workflow_version_id",
    WorkflowRunRequest: "workflow_id",
    DeploymentRunRequest: "deployment_id",
}


def queueing(name: str, path: str, *forms: Form) -> "Operation[object, CreateRunResponse]":
    """Return an operation that creates a run from a request of one of these forms; its response is the run's id."""
    from comfydeploy.models.create_run import CreateRunResponse  # here: each kind loads only the models of its response

    decode = returning(CreateRunResponse)
    encode = _creating(path, forms)
    return Operation(name, encode, decode, creates="run", read_timeout=COLD_START, hint=MAY_EXIST, form=form_name)


def waiting(name: str, path: str, *forms: Form) -> "Operation[object, list[WorkflowRunOutputModel]]":
    """Return an operation that creates a run; its response has the outputs, once the run has ended."""
    from comfydeploy.models.run_output import WorkflowRunOutputModel

    decode = returning_list(WorkflowRunOutputModel)
    encode = _creating(path, forms)
    return Operation(name, encode, decode, creates="run", read_timeout=None, hint=MAY_EXIST, form=form_name)


def streaming(name: str, path: str, *forms: Form) -> "Operation[object, OpenStream[RunStream]]":
    """Return an operation that creates a run; its response is the stream of its events."""
    from comfydeploy._wire.events import RunStreamDecoder
    from comfydeploy._wire.open_stream import decoded_by

    return Operation(
        name,
        _creating(path, forms),
        decoded_by(RunStreamDecoder),
        creates="run",
        accept="text/event-stream",
        read_timeout=None,
        hint=_ONLY_BATCH_IS_REFUSED,
        form=form_name,
    )


def _creating(path: str, forms: tuple[Form, ...]) -> Callable[[object], Request]:
    return lambda request: Request("POST", path, content=json_bytes(wire_form(request, forms), "request"))


def overwriting(**fixed: object) -> Callable[[object], Request]:
    """Return the ``encode`` of an operation of ``POST /run`` that overwrites these keys of the request."""
    return lambda request: Request("POST", "/run", content=json_bytes(wire_form(request, ANY_FORM) | fixed, "request"))


def batch(request: object) -> Request:
    """Encode the request of a batch; without the keys of a batch the server would create a single run."""
    wire = wire_form(request, ANY_FORM)
    if not _is_batch(wire):
        raise invalid_request("a batch needs batch_number above 1 or batch_input_params", request)
    return Request("POST", "/run", content=json_bytes(wire, "request"))


def queueing_one(request: object) -> Request:
    """Encode the request of one run that is queued."""
    return Request("POST", "/run/queue", content=json_bytes(one_run(request), "request"))


def one_run(request: object) -> dict[str, Any]:
    """Return the wire form of the request of one run; raise for a batch, a native run or another mode."""
    wire = wire_form(request, ANY_FORM)
    if _is_batch(wire):
        raise invalid_request("a batch has no single run to wait for: use run_batch", request)
    if wire.get("is_native_run"):
        raise invalid_request("a native run is not executed by the service: use run_native", request)
    if wire.get("execution_mode") not in (None, "async"):
        raise invalid_request(f"execution_mode: expected 'async' or none, got {wire['execution_mode']!r}", request)
    return wire


def _is_batch(wire: dict[str, Any]) -> bool:
    return (wire.get("batch_number") or 1) > 1 or wire.get("batch_input_params") is not None


def form_name(content: bytes | None) -> str | None:
    """Return the name of the form of a body, by the key that only this form has."""
    import json

    try:
        body: Any = json.loads(content or b"")
    except ValueError:  # changed by a hook
        return None
    return next((form.__name__ for form in ANY_FORM if is_object(body) and _KEYS[form] in body), None)


def wire_form(request: object, forms: tuple[Form, ...]) -> dict[str, Any]:
    """Return the wire form of a request, with every value unchanged.

    Raise ``SDKValidationError`` for a request that does not fit; it names every path.
    """
    form: Form | None
    if isinstance(request, forms):
        form, wire = type(request), given(request)
    elif is_object(request):
        form = forms[0] if len(forms) == 1 else next((form for form in forms if _KEYS[form] in request), None)
        wire = dict(request)
    else:
        names = " or ".join(form.__name__ for form in forms)
        raise invalid_request(f"expected a {names} or a mapping, got {type(request).__name__}", request)
    if form is None:
        raise invalid_request(f"required: one of {', '.join(_KEYS[form] for form in forms)}", request)
    check(wire, form, "request")
    return wire
