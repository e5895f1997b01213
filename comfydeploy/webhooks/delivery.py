"""A delivery of a webhook, and the response to it."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from attrs import evolve

from comfydeploy._wire.codec import read
from comfydeploy.errors import Error, Problem, SDKValidationError
from comfydeploy.models.webhook import WorkflowRunWebhookBody
from comfydeploy.result import Failure, Result, Success

__all__ = ["WebhookAnswer", "webhook_parse", "webhook_response"]


class WebhookAnswer(NamedTuple):
    """A response in the order of frameworks: return it from Flask, use ``Response(*answer)`` in Starlette."""

    body: bytes
    status_code: int
    headers: dict[str, str]


def webhook_parse(method: str, headers: Mapping[str, str], body: bytes | str) -> Result[WorkflowRunWebhookBody, Error]:
    """Read a delivery: a POST, or the GET with the same body by which the server repeats it.

    The content type may be missing, otherwise it must be JSON. ``raw`` is the whole document; outputs that cannot be
    read, such as those without an id, are only in ``raw``. Anything else is a
    ``SDKValidationError`` that names what was expected.
    """
    try:
        _check(method, headers)
        return Success(read(_document(body), WorkflowRunWebhookBody, "The webhook's body"))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        unfit = error if isinstance(error, SDKValidationError) else _strange(error)
        return Failure(evolve(unfit, fate="answered"))  # the run exists


def webhook_response(status: str = "success", status_code: int = 200) -> WebhookAnswer:
    """Return the documented response, ``{"status": ...}`` as JSON: body, status code and headers.

    After a status of 400 or more the service sends the delivery again, at most twice.
    """
    return WebhookAnswer(json.dumps({"status": status}).encode(), status_code, {"content-type": "application/json"})


def _check(method: str, headers: Mapping[str, str]) -> None:
    if method.upper() not in ("POST", "GET"):
        raise _unfit("$.method", f"expected POST or GET, got {method!r}", method)
    found = [value for name, value in headers.items() if name.lower() == "content-type"]
    content_type = found[0].partition(";")[0].strip().lower() if found else ""
    if content_type not in ("", "application/json") and not content_type.endswith("+json"):
        raise _unfit("$.headers.content-type", f"expected application/json, got {content_type!r}", found[0])


def _document(body: bytes | str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unfit("$.body", f"expected JSON: {error}", body) from None


def _unfit(path: str, reason: str, value: object = None) -> SDKValidationError:
    return SDKValidationError(f"The webhook's request: {path}: {reason}", (Problem(path, reason),), value)


def _strange(error: Exception) -> SDKValidationError:
    expected = "expected a method of text, headers as a mapping of texts and a body of bytes or text"
    return _unfit("$", f"{expected}: {type(error).__name__}: {error}")
