"""Whether the server may have executed, and billed, a request."""

from typing import Any, Final

from attrs import evolve

from comfydeploy._wire.reply import Reply
from comfydeploy.errors import Error, Fate, HTTPValidationError, SDKError

REFUSED: Final = frozenset({429, 503})
"""The status codes of a server, or of a proxy before it, that has not begun to execute the request."""

GAVE_UP: Final = frozenset({408, 499})
"""The status codes of a proxy whose time is over, or whose client has left, whatever the server has executed."""

IN_DOUBT: Final = GAVE_UP | {303}
"""The status codes below 500 of a request that may have been executed: 303 follows one that was."""

# A 500, 502 or 504 can hide a run that was started and billed, and so can a 400 of `sync_first_result`.
_NOT_EXECUTED: Final = REFUSED | {401, 403, 404, 405, 413, 422}

HOW_TO_FIND: Final = (
    "Look for the run before you send the request again, which creates and bills another one: run_find finds the run "
    "of a request with a key. Give the next request a key with comfydeploy.inputs.keyed, or send it with "
    "run_queue_once."
)


def maybe_executed(outcome: Reply | Error) -> bool:
    """Check whether a request with this outcome may have been executed."""
    if isinstance(outcome, Reply):
        return outcome.status_code not in _NOT_EXECUTED
    return outcome.fate != "not_sent"


def is_refused(error: Error) -> bool:
    """Check whether an error proves that nothing was created: it was not sent, or the server refused it."""
    if error.fate == "not_sent" or isinstance(error, HTTPValidationError):
        return True
    return isinstance(error, SDKError) and 300 <= error.status_code < 500 and error.status_code not in IN_DOUBT  # noqa: PLR2004 - the classes of status codes


def with_fate(error: Error, fate: Fate, hint: str | None = None) -> Error:
    """Return an error with the fate of another request, and with a hint where it has none."""
    changes: dict[str, Any] = {"fate": fate, "hint": error.hint or hint}
    known = evolve(error, **changes)
    known.__cause__ = error.__cause__
    return known
