"""The key of a run: a reserved input, by which the run can be found.

The server stores an unknown input untouched and lists it.
"""

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from comfydeploy._wire.arguments import invalid_argument, invalid_request
from comfydeploy._wire.json_types import is_object
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.models.run_request import DeploymentRunRequest, WorkflowRunRequest, WorkflowRunVersionRequest

KEY_INPUT: Final = "comfydeploy_key"
RESERVED: Final = "comfydeploy_"
"""The prefix of reserved inputs."""

_LONGEST: Final = 200
_FORMS: Final = (WorkflowRunVersionRequest, WorkflowRunRequest, DeploymentRunRequest)


def check_key(name: str, key: object) -> None:
    """Raise ``SDKValidationError`` for a key that is not a text of 1 to 200 characters, or that cannot be stored."""
    if not isinstance(key, str):
        raise invalid_argument(name, f"expected a string, got {type(key).__name__}")
    if not 0 < len(key) <= _LONGEST:
        raise invalid_argument(name, f"expected 1 to {_LONGEST} characters, got {len(key)}", key)
    if "\0" in key or key != key.encode(errors="replace").decode():
        raise invalid_argument(name, f"expected text without NUL that UTF-8 can encode, got {key!r}", key)


def with_key(request: object, key: object) -> Any:
    """Return a request with a key among its inputs: a model as a model, a mapping as a dict."""
    check_key("key", key)
    if isinstance(request, _FORMS):
        return evolve(request, inputs=_keyed(request.inputs, key))
    if is_object(request):
        return {**request, "inputs": _keyed(request.get("inputs"), key)}
    raise invalid_request(f"expected a request for a run or a mapping, got {type(request).__name__}", request)


def key_of(inputs: object) -> str | None:
    """Return the key among the inputs of a run, if they have one."""
    key = inputs.get(KEY_INPUT) if is_object(inputs) else None
    return key if isinstance(key, str) else None


def _keyed(inputs: object, key: object) -> Mapping[str, Any]:
    if inputs is None:
        return {KEY_INPUT: key}
    if not is_object(inputs):
        raise _wrong("$.inputs", f"expected a mapping, got {type(inputs).__name__}")
    if KEY_INPUT not in inputs:
        return {**inputs, KEY_INPUT: key}
    if inputs[KEY_INPUT] != key:
        raise _wrong(f"$.inputs.{KEY_INPUT}", "the request has another key already")
    return inputs


def _wrong(path: str, reason: str) -> SDKValidationError:
    return SDKValidationError(f"request: {path}: {reason}", (Problem(path, reason),))
