"""Work on requests and inputs before they are sent, without a server: keys, and checks against a deployment."""

from collections.abc import Mapping
from typing import Any, TypeVar, overload

from comfydeploy._wire.input_check import input_problems
from comfydeploy._wire.keys import KEY_INPUT, with_key
from comfydeploy.errors import SDKValidationError
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.run_request import (
    AnyRunRequest,
    DeploymentRunRequest,
    WorkflowRunRequest,
    WorkflowRunVersionRequest,
)
from comfydeploy.result import Failure, Result, Success

__all__ = ["KEY_INPUT", "inputs_check", "keyed"]

R = TypeVar("R", WorkflowRunVersionRequest, WorkflowRunRequest, DeploymentRunRequest)


@overload
def keyed(request: R, key: str) -> Result[R, SDKValidationError]: ...
@overload
def keyed(request: Mapping[str, Any], key: str) -> Result[dict[str, Any], SDKValidationError]: ...
def keyed(request: AnyRunRequest, key: str) -> Result[Any, SDKValidationError]:
    """Return the request with a key, by which ``run_find`` finds its runs.

    The key is text of 1 to 200 characters, sent as the input ``comfydeploy_key``. Every run of a batch has it. A
    request with the same key is returned with that key; another key in it is a ``Failure``.
    """
    try:
        return Success(with_key(request, key))
    except MemoryError:
        raise
    except SDKValidationError as error:
        return Failure(error.with_traceback(None))
    except Exception as error:  # noqa: BLE001 - a function never raises, and a mapping of any class may
        return Failure(SDKValidationError(f"request: cannot be read: {type(error).__name__}"))


def inputs_check(
    deployment: DeploymentModel, inputs: Mapping[str, Any]
) -> Result[Mapping[str, Any], SDKValidationError]:
    """Return the inputs if they fit a deployment, otherwise one ``SDKValidationError`` with all problems.

    A problem is an unknown id, which the server ignores; a value of the wrong type, for which
    it uses the default; a number out of range; an unknown option; and an image batch that is not a JSON list.
    Inputs whose names begin with ``comfydeploy_`` pass, and so do files where an address is expected. An input whose
    type this version does not know accepts any value that the server accepts.
    """
    try:
        problems = input_problems(deployment, inputs)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises, and a mapping of any class may
        return Failure(SDKValidationError(f"inputs: cannot be read: {type(error).__name__}"))
    if not problems:
        return Success(inputs)
    summary = "; ".join(f"{problem.path}: {problem.reason}" for problem in problems)
    return Failure(SDKValidationError(f"inputs: {summary}", problems, inputs))
