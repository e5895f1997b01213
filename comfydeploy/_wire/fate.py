"""Whether the server may have executed, and billed, a request."""

from typing import Any, Final

from attrs import evolve

from comfydeploy._wire.reply import Reply
from comfydeploy.errors import Error, Fate

REFUSED: Final = frozenset({429, 503})
"""The status codes of a server, or of a proxy before it, that has not begun to execute the request."""

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


def with_fate(error: Error, fate: Fate, hint: str | None = None) -> Error:
    """Return an error with the fate of another request, and with a hint where it has none."""
    changes: dict[str, Any] = {"fate": fate, "hint": error.hint or hint}
    known = evolve(error, **changes)
    known.__cause__ = error.__cause__
    return known
