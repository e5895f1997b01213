"""The records of ``--json``, as plain objects: models, errors, and the envelope around them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from comfydeploy._cli.command_error import CommandError
from comfydeploy._cli.exit_codes import Exit
from comfydeploy.errors import ComfyDeployError, HTTPValidationError, SDKError, SDKValidationError
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.output_file import OutputFile
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_output import MediaItem
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.outcome import DownloadIncomplete, PollFailed, RunFailed, RunTimedOut

Json: TypeAlias = dict[str, Any]

VERSION: Final = "comfydeploy/1"
"""The version changes when a field is removed or changes its meaning; fields may be added at any time."""


def envelope(
    command: str, kind: str, *, run_id: str | None = None, data: Any = None, error: Json | None = None
) -> Json:
    """Return the record of an event."""
    return {"schema": VERSION, "command": command, "type": kind, "run_id": run_id, "data": data, "error": error}


def result_record(
    command: str, code: Exit, *, run_id: str | None = None, data: Any = None, error: Json | None = None
) -> Json:
    """Return the last record of a command."""
    record = envelope(command, "result", run_id=run_id, data=data, error=error)
    return {**record, "outcome": code.word, "exit_code": int(code)}


def run_json(run: WorkflowRunModel) -> Json:
    """Return the state of a run, without its inputs and its webhook."""
    return {
        "id": run.id,
        "status": run.status,
        "progress": run.progress,
        "live_status": run.live_status,
        "queue_position": run.queue_position,
        "workflow_id": run.workflow_id,
        "machine_id": run.machine_id,
        "gpu": run.gpu,
        **_times(run),
        "duration": run.duration,
        "run_duration": run.run_duration,
        "warning": run.warning,
        "files": [file_json(file) for file in run.files],
        "values": [value for output in run.outputs for value in _values(output.output_id, output.data)],
    }


def row_json(row: WorkflowRunRow, workflow: str | None, key: str | None = None) -> Json:
    """Return a row of a list of runs, with the name of its workflow."""
    return {
        "id": row.id,
        "status": row.status,
        "workflow": workflow,
        "workflow_id": row.workflow_id,
        "deployment_id": row.deployment_id,
        "gpu": row.gpu,
        **_times(row),
        "duration": row.duration,
        "run_duration": row.run_duration,
        "key": key,
    }


def file_json(file: OutputFile) -> Json:
    """Return a file of a run."""
    return {
        "filename": file.filename,
        "url": file.url,
        "kind": file.kind,
        "output_id": file.output_id,
        "node_id": file.node_id,
    }


def deployment_json(deployment: DeploymentModel) -> Json:
    """Return a deployment with its inputs."""
    return {
        "id": deployment.id,
        "name": deployment_name(deployment),
        "environment": deployment.environment,
        "workflow_id": deployment.workflow_id,
        "machine_id": deployment.machine_id,
        "gpu": deployment.gpu,
        "description": deployment.description,
        "created_at": time_text(deployment.created_at),
        "inputs": [
            {
                "input_id": one.input_id,
                "type": one.type,
                "class_type": one.class_type,
                "default_value": one.default_value,
                "min_value": one.min_value,
                "max_value": one.max_value,
                "options": one.enum_options,
                "description": one.description,
            }
            for one in deployment.input_types
        ],
        "outputs": [one.output_id for one in deployment.output_types],
    }


def deployment_name(deployment: DeploymentModel) -> str | None:
    """Return the name of a deployment's workflow."""
    workflow: Any = deployment.workflow
    name = workflow.get("name") if isinstance(workflow, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON of any shape
    return name if isinstance(name, str) else None


def error_json(error: CommandError, hint: str | None) -> Json:
    """Return an error: ``kind`` is its class, ``details`` the fields of this class only."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "hint": hint,
        "fate": error.fate,
        "run_id": error.run_id,
        "details": _details(error),
    }


def plain_error_json(kind: str, message: str, hint: str | None = None, details: Json | None = None) -> Json:
    """Return an error of the command line itself."""
    return {"kind": kind, "message": message, "hint": hint, "fate": None, "run_id": None, "details": details or {}}


def time_text(moment: datetime | None) -> str | None:
    """Return a time as text in ISO 8601."""
    return None if moment is None else moment.isoformat()


def _details(error: ComfyDeployError) -> Json:  # noqa: PLR0911 - a row for each kind of error
    match error:
        case RunFailed():
            return {
                "kind": error.kind,
                "source": error.source,
                "node_id": error.node_id,
                "node_type": error.node_type,
                "exception_type": error.exception_type,
                "exception_message": error.exception_message,
            }
        case RunTimedOut():
            return {"kind": error.kind, "source": error.source}
        case DownloadIncomplete():
            return {
                "saved": [str(path) for path in error.saved],
                "missing": [{**file_json(file), "message": reason.message} for file, reason in error.missing],
            }
        case PollFailed():
            return {"poll": {"kind": type(error.error).__name__, "message": error.error.message}}
        case SDKError() | HTTPValidationError():
            return {"status_code": error.status_code}
        case SDKValidationError():
            return {"problems": [{"path": one.path, "reason": one.reason} for one in error.problems]}
        case _:
            return {}


def _times(run: WorkflowRunModel | WorkflowRunRow) -> Json:
    names = ("created_at", "queued_at", "started_at", "ended_at")
    return {name: time_text(getattr(run, name)) for name in names}


def _values(output_id: str | None, data: Mapping[str, Any]) -> list[Json]:
    """Return the values of an output other than files: text, numbers, booleans."""
    lists: list[tuple[str, list[Any]]] = [
        (kind, items if isinstance(items, list) else [items]) for kind, items in data.items()
    ]
    return [
        {"kind": kind, "output_id": output_id, "value": item}
        for kind, items in lists
        for item in items
        if not isinstance(item, MediaItem)
    ]
