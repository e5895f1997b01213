"""Results as sentences for a terminal, with commands in place of functions in hints."""

import re
from collections.abc import Iterable
from typing import Any, Final

from comfydeploy._cli.command_error import CommandError
from comfydeploy._cli.input_values import option_text
from comfydeploy._cli.ledger import Sending, State, find_command
from comfydeploy.errors import ConnectionError, HTTPValidationError, SDKError, SDKValidationError
from comfydeploy.models.deployment import DeploymentInput
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.outcome import DeadlineExceeded

_COMMANDS: Final = {
    "deployments_list": "comfydeploy deployments",
    "run_cancel": "comfydeploy cancel",
    "run_download": "comfydeploy download",
    "run_find": "comfydeploy find",
    "run_logs": "comfydeploy logs",
    "run_queue_once": "comfydeploy run --key",
    "run_wait": "comfydeploy wait",
    "runs_list": "comfydeploy list",
}
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404


def hint_of(error: CommandError, state: State) -> str | None:
    """Return the hint of an error, with commands."""
    if isinstance(error, DeadlineExceeded):
        run_id = error.run_id
        ended = error.cancelled == "yes"
        return None if ended else f"To wait on: comfydeploy wait {run_id}. To end it: comfydeploy cancel {run_id}"
    if isinstance(state, Sending) and error.run_id is None:
        from comfydeploy._wire.fate import is_refused

        if error.fate != "not_sent" and not (isinstance(error, SDKError | HTTPValidationError) and is_refused(error)):
            return f"A run may exist, and be billed. To find it: {find_command(state.key, state.deployment_id)}"
    if isinstance(error, SDKError) and error.status_code == _UNAUTHORIZED:
        return "Check COMFYDEPLOY_API_KEY and COMFYDEPLOY_SERVER_URL: comfydeploy doctor"
    if isinstance(error, ConnectionError) and error.hint is None:
        return "To check the connection to the server: comfydeploy doctor"
    return None if error.hint is None else in_shell(error.hint)


def in_shell(text: str) -> str:
    """Return a text with commands in place of the functions of the client."""
    names = "|".join(_COMMANDS)
    return re.sub(rf"`{{0,2}}\b({names})\b(?:\([^)]*\))?`{{0,2}}", lambda found: _COMMANDS[found[1]], text)


def error_text(error: CommandError, state: State) -> str:
    """Return an error as one text: the message, one line for each problem, and the hint."""
    message = error.message
    if isinstance(error, SDKValidationError) and len(error.problems) > 1:
        message = "\n".join(
            [message.partition(":")[0] + ":", *(f"  {one.path}: {one.reason}" for one in error.problems)]
        )
    hint = hint_of(error, state)
    return f"{message.removesuffix('.')}. {hint}" if hint else message


def run_text(run: WorkflowRunModel) -> str:
    """Return the end of a run: ``success after 12.3 s``, with a warning where there is one."""
    took = "" if run.duration is None else f" after {run.duration:.1f} s"
    return f"{run.status}{took}" + (f". {run.warning}" if run.warning else "")


def output_texts(run: WorkflowRunModel) -> list[str]:
    """Return the text outputs of a run."""
    lists: list[Any] = [items for output in run.outputs for items in output.data.values() if isinstance(items, list)]
    return [item for items in lists for item in items if isinstance(item, str)]


def change_cells(run: WorkflowRunModel) -> list[str]:
    """Return the state of a run as cells: id, status, place in the queue or progress, node."""
    if run.is_ended:
        return [run.id, str(run.status)]
    progress = "" if run.progress is None or run.started_at is None else f"{run.progress:.0%}"
    place = "" if run.queue_position is None else f"place {run.queue_position}"
    return [run.id, str(run.status), place or progress, run.live_status or ""]


def row_cells(row: WorkflowRunRow, workflow: str | None) -> list[str]:
    """Return a row of a list of runs as cells: id, status, created, seconds, workflow."""
    created = "" if row.created_at is None else f"{row.created_at:%Y-%m-%d %H:%M:%S}"
    return [row.id, str(row.status), created, "" if row.duration is None else f"{row.duration:.1f}", workflow or ""]


def input_lines(inputs: Iterable[DeploymentInput], width: int | None) -> list[str]:
    """Return the inputs of a deployment, each with its type, default and description."""
    cells = [
        [f"  {one.input_id}", _type(one), _default(one), one.description or one.display_name or ""] for one in inputs
    ]
    if width is None:
        return ["\t".join([" ", *(" ".join(cell.split()) for cell in row)]).rstrip("\t") for row in cells]
    columns = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, columns)).rstrip() for row in cells]
    return [
        line if len(line) <= width else "  ".join(filter(None, row)) for line, row in zip(lines, cells, strict=True)
    ]


def _type(one: DeploymentInput) -> str:
    if one.enum_options:
        return " | ".join(map(option_text, one.enum_options))
    low, high = one.min_value, one.max_value
    limits = {(True, True): f" {low} to {high}", (True, False): f" from {low}", (False, True): f" to {high}"}
    return (one.type or "any") + limits.get((low is not None, high is not None), "")


def _default(one: DeploymentInput) -> str:
    return "" if one.default_value in (None, "") else option_text(one.default_value)
