"""Which of the client's operations a request is."""

import re
from collections.abc import Mapping
from typing import Final, cast

_START: Final = ("POST", "/api/run")
_ROUTES: Final = (
    ("run_get", "GET", "/api/run"),
    ("run_get", "GET", "/api/run/{}"),
    ("run_cancel", "POST", "/api/run/{}/cancel"),
    ("run_queue", "POST", "/api/run/queue"),
    ("run_sync", "POST", "/api/run/sync"),
    ("run_stream", "POST", "/api/run/stream"),
    ("run_deployment_queue", "POST", "/api/run/deployment/queue"),
    ("run_deployment_sync", "POST", "/api/run/deployment/sync"),
    ("run_deployment_stream", "POST", "/api/run/deployment/stream"),
    ("run_workflow_queue", "POST", "/api/run/workflow/queue"),
    ("run_workflow_sync", "POST", "/api/run/workflow/sync"),
    ("run_workflow_stream", "POST", "/api/run/workflow/stream"),
    ("run_batch", *_START),
    ("run_first_result", *_START),
    ("run_native", *_START),
    ("run_logs", "GET", "/api/v2/clickhouse-run-logs/{}"),
    ("run_logs_stream", "GET", "/api/v2/stream-logs"),
    ("runs_list", "GET", "/api/workflow/{}/runs"),
    ("deployments_list", "GET", "/api/deployments"),
    ("session_create", "POST", "/api/session"),
    ("session_get", "GET", "/api/session/{}"),
    ("session_list", "GET", "/api/sessions"),
    ("session_cancel", "DELETE", "/api/session/{}"),
    ("file_upload", "POST", "/api/file/upload"),
    # No operations, but what clients do with the addresses in the answers.
    ("output_file", "GET", "/outputs/runs/{}/{}"),
    ("input_file", "GET", "/inputs/{}"),
)
_PATTERNS: Final = [
    (name, re.compile(re.escape(f"{method} {path}").replace(r"\{\}", "[^/]+")))
    for name, method, path in _ROUTES
    if (method, path) != _START
]

OPERATIONS: Final = tuple(dict.fromkeys(name for name, _, _ in _ROUTES))


def operation(method: str, path: str, body: object) -> str | None:
    """Name the operation of the client that sends such a request; ``body`` is decoded, and decides for some."""
    if is_told_by_body(method, path):
        return _started(cast("Mapping[str, object]", body)) if isinstance(body, Mapping) else None
    asked = f"{method} {path}"
    return next((name for name, pattern in _PATTERNS if pattern.fullmatch(asked)), None)


def is_told_by_body(method: str, path: str) -> bool:
    """Tell whether only the body of a request shows which operation it is."""
    return (method, path) == _START


def _started(body: Mapping[str, object]) -> str | None:
    number = body.get("batch_number")
    if body.get("batch_input_params") is not None or (isinstance(number, int) and number > 1):
        return "run_batch"
    if body.get("is_native_run"):
        return "run_native"
    return "run_first_result" if body.get("execution_mode") == "sync_first_result" else None
