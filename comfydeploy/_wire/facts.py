"""The facts of calls and runs for spans, metrics and log records: names, numbers and ids, and no text of a server.

Messages are left out because they may quote inputs, and the query of an address because it may be signed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

from comfydeploy._wire.redaction import redacted_text
from comfydeploy._wire.reply import Reply
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from comfydeploy._wire.request import Request
    from comfydeploy.errors import Error
    from comfydeploy.models.run import WorkflowRunModel
    from comfydeploy.models.run_row import WorkflowRunRow

Facts: TypeAlias = Mapping[str, str | int | float | bool]

_LONGEST: Final = 200
_PORTS: Final = {"http": 80, "https": 443}
_STATE: Final = ("status", "progress", "queue_position")
_PLACE: Final = ("workflow_id", "machine_id", "gpu")
_ERROR: Final = ("status_code", "fate", "kind", "source", "node_id", "node_type", "exception_type", "cancelled")
_OUTCOMES: Final = {
    "RunFailed": "failed",
    "RunCancelled": "cancelled",
    "RunTimedOut": "timeout",
    "DeadlineExceeded": "deadline",
    "RequestAbortedError": "left",
}


def request_facts(request: "Request") -> Facts:
    """Return the facts of a request: its address is without the query, and ``route`` is without ids."""
    parts = urlsplit(request.url)
    path = parts.path
    if request.route is not None:
        route = request.route.partition("?")[0]
        server = path.split("/")[: -route.count("/")]
        path = "/".join(server) + route
    return {
        "method": request.method,
        "url": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",
        "route": path,
        "host": parts.hostname or "",
        "port": parts.port or _PORTS.get(parts.scheme, 0),
    }


def outcome_facts(outcome: "Reply | Error") -> Facts:
    """Return the facts of the outcome of an attempt."""
    return {"status_code": outcome.status_code} if isinstance(outcome, Reply) else _error_facts(outcome)


def result_facts(result: Result[Any, Any]) -> Facts:
    """Return the facts of the result of a call: of the error, or the id of the run that is its value."""
    if not isinstance(result, Success):
        return _error_facts(result.failure())
    run_id = getattr(result.unwrap(), "run_id", None)
    return {"run_id": run_id} if isinstance(run_id, str) else {}


def state_facts(run: "WorkflowRunModel | WorkflowRunRow") -> Facts:
    """Return the facts of the state of a run."""
    return _present(run, _STATE)


def end_facts(
    result: Result[Any, Any] | None, run: "WorkflowRunModel | WorkflowRunRow | None", run_id: str | None
) -> Facts:
    """Return the facts of the end of a run, or of the wait for it, which has no result if it was left early.

    ``outcome`` is ``success``, ``failed``, ``cancelled`` or ``timeout`` of a run that has ended; ``deadline`` or
    ``left`` of one that goes on; ``unknown`` where it cannot be read, or may exist; and ``not_created``. Durations are
    in seconds by the clock of the server, from the creation of the run.
    """
    facts: dict[str, str | int | float | bool] = {} if run_id is None else {"run_id": run_id}
    facts["outcome"] = "left" if result is None else "success"
    if isinstance(result, Failure):
        error = result.failure()
        facts.update(_error_facts(error))
        facts["outcome"] = "unknown" if error.fate == "unknown" else "not_created"
        if run_id is not None:
            facts["outcome"] = _OUTCOMES.get(type(error).__name__, "unknown")
    if run is not None:
        facts.update(_present(run, _PLACE))
        for name, moment in (("time_to_start", run.started_at), ("time_to_end", run.ended_at)):
            if run.created_at is not None and moment is not None and moment >= run.created_at:
                facts[name] = (moment - run.created_at).total_seconds()
    return facts


def _error_facts(error: Any) -> Facts:
    return {"error_type": type(error).__name__, **_present(error, _ERROR)}


def _present(source: Any, names: tuple[str, ...]) -> Facts:
    found = {name: getattr(source, name, None) for name in names}
    return {name: _shown(value) for name, value in found.items() if isinstance(value, str | int | float)}


def _shown(value: Any) -> Any:
    return redacted_text(value[:_LONGEST]) if isinstance(value, str) else value
