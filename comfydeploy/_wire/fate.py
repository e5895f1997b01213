"""Whether the server may have executed a request: what money hangs on."""

from typing import Final

from comfydeploy._wire.reply import Reply
from comfydeploy.errors import Error

REFUSED: Final = frozenset({429, 503})
"""The status codes of a server, or of a proxy before it, that has not begun to work."""

# A 500, 502 or 504 can hide a run that was started and billed, and so can a 400 of `sync_first_result`.
_NOT_EXECUTED: Final = REFUSED | {401, 403, 404, 405, 413, 422}


def maybe_executed(outcome: Reply | Error) -> bool:
    """Check whether a request with this outcome may have been executed."""
    if isinstance(outcome, Reply):
        return outcome.status_code not in _NOT_EXECUTED
    return outcome.fate != "not_sent"
