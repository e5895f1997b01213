"""The result of a response of an operation."""

from typing import Any, Final, TypeVar

from attrs import evolve

import comfydeploy.result as results
from comfydeploy._wire.attempt import ANYTHING
from comfydeploy._wire.fate import HOW_TO_FIND
from comfydeploy._wire.operation import Creates, Operation
from comfydeploy._wire.redaction import without_secret, without_secrets
from comfydeploy._wire.reply import Reply, error_response, has_no_route, unexpected
from comfydeploy._wire.request import Request
from comfydeploy.errors import Error, SDKValidationError
from comfydeploy.models.secret import Secret

V = TypeVar("V")

_JSON: Final = "application/json"
IN_DOUBT: Final[dict[Creates, str | None]] = {
    "nothing": None,
    "run": f"A run may have been created, and billed. {HOW_TO_FIND}",
    "session": "A session may have been opened, and is billed until it is closed. Look with session_list before you "
    "open another one.",
    "session_time": "The session may have been prolonged, and its time is billed. Read timeout_end with session_get "
    "before you send the request again.",
    "deployment": "The deployment may have been created or changed. Look with deployments_list before you send the "
    "request again.",
    "asset": "It may have been created. Look with assets_list before you send the request again.",
}

_NOT_THE_API: Final = "server_url must end in /api."


def read_response(
    operation: Operation[Any, V], request: Request, token: Secret, reply: Reply
) -> results.Result[V, Error]:
    """Return the result of a response: its value, or the error without the token and the operation's secrets."""
    if reply.is_good:
        result = _decoded(operation, request, token, reply)
    else:
        form = operation.form and operation.form(request.content)
        result = results.Failure(error_response(reply, _hint(operation, request, reply), token=token, form=form))
    if isinstance(result, results.Success):
        return result
    # The token is removed from errors only: a value that contains it must not change.
    error: Any = without_secret(result.failure(), token)
    return results.Failure(without_secrets(error) if operation.has_secret else error)


def unreadable(error: Error, creates: Creates) -> Error:
    """Return the error of an unreadable response, with the hint that something may have been created."""
    hint = IN_DOUBT[creates]
    if error.fate != "answered" or error.hint is not None or hint is None:
        return error
    hinted = evolve(error, hint=hint)
    hinted.__cause__ = error.__cause__
    return hinted


def created_run_id(operation: Operation[Any, Any], reply: Reply) -> str | None:
    """Return the id of the run that was created, if the response has it."""
    try:
        created: Any = operation.decode(reply) if operation.creates == "run" else None
    except SDKValidationError:
        return None
    return getattr(created, "run_id", None) or getattr(created, "prompt_id", None)  # of a native run


def _decoded(operation: Operation[Any, V], request: Request, token: Secret, reply: Reply) -> results.Result[V, Error]:
    expected, received = operation.accept, reply.content_type
    is_json = expected == _JSON and received.endswith("+json")
    if expected not in (received, ANYTHING) and not is_json:
        reason = f"The server answered with {received or 'no content type'} in place of {expected}"
        error = unreadable(unexpected(reply.without(token), reason), operation.creates)
        if received == "text/html" and not _is_of_api(request):
            error = evolve(error, hint=f"{_NOT_THE_API} {error.hint or ''}".rstrip())
        return results.Failure(error)
    try:
        return results.Success(operation.decode(reply))
    except SDKValidationError as error:
        return results.Failure(unreadable(evolve(error, fate="answered"), operation.creates))


def _hint(operation: Operation[Any, Any], request: Request, reply: Reply) -> str | None:
    known = operation.hint and operation.hint(reply)
    if known is None and not _is_of_api(request) and has_no_route(reply):
        return f"There is no such route at {request.url.partition('?')[0]}: {_NOT_THE_API}"
    return known


def _is_of_api(request: Request) -> bool:
    return "/api/" in request.url.partition("?")[0]
