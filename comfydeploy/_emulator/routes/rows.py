"""Runs as rows of the database, as the lists of runs have them."""

from datetime import datetime
from typing import Any, Final

from comfydeploy._emulator.clock import to_milliseconds, to_naive
from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.runs.run import Run

_OUTPUTS: Final = "outputs"
_INPUTS: Final = "workflow_inputs"


def row_json(
    run: Run, deployment: Deployment, base: str, *, with_outputs: bool = True, with_inputs: bool = True
) -> dict[str, Any]:
    """Return a run with all its columns, its workflow and its version; durations are text."""
    row = {
        "gpu": run.gpu,
        "progress": run.shown_progress,
        "deployment_id": run.deployment_id,
        "cold_start_duration_total": _duration(run.created_at, run.started_at),
        "ended_at": _moment(run.ended_at),
        "machine_version": run.machine_version,
        "is_realtime": run.is_realtime,
        "run_duration": _duration(run.started_at, run.ended_at),
        "workflow_id": run.workflow_id,
        "created_at": _moment(run.created_at),
        "machine_type": run.machine_type,
        "webhook": run.webhook,
        "id": run.id,
        "workflow_version_id": run.workflow_version_id,
        "updated_at": _moment(run.updated_at),
        "modal_function_call_id": run.modal_function_call_id,
        "webhook_status": run.webhook_status,
        "workflow_inputs": run.workflow_inputs,
        "machine_id": run.machine_id,
        "queued_at": _moment(run.queued_at),
        "user_id": run.user_id,
        "webhook_intermediate_status": run.webhook_intermediate_status,
        "duration": _duration(run.created_at, run.ended_at),
        "workflow_api": {},
        "org_id": run.org_id,
        "batch_id": run.batch_id,
        "origin": run.origin,
        "started_at": _moment(run.started_at),
        "model_id": None,
        "comfy_deploy_cold_start": _duration(run.created_at, run.queued_at),
        "status": run.status,
        "gpu_event_id": run.gpu_event_id,
        "live_status": run.live_status,
        "cold_start_duration": _duration(run.queued_at, run.started_at),
        "workflow": deployment.workflow_json(),
        "outputs": run.output_rows(base),
        "version": deployment.version_json() if run.workflow_version_id else None,
    }
    left_out = {name for name, is_in in ((_OUTPUTS, with_outputs), (_INPUTS, with_inputs)) if not is_in}
    return {name: value for name, value in row.items() if name not in left_out}


def small_row_json(run: Run) -> dict[str, Any]:
    """Return a run as the v2 list has it: without inputs, progress and outputs."""
    return {
        "id": run.id,
        "status": run.status,
        "created_at": _moment(run.created_at),
        "updated_at": _moment(run.updated_at),
        "ended_at": _moment(run.ended_at),
        "queued_at": _moment(run.queued_at),
        "started_at": _moment(run.started_at),
        "workflow_id": run.workflow_id,
        "user_id": run.user_id,
        "org_id": run.org_id,
        "origin": run.origin,
        "gpu": run.gpu,
        "machine_version": run.machine_version,
        "machine_type": run.machine_type,
        "modal_function_call_id": run.modal_function_call_id,
        "webhook_status": run.webhook_status,
        "webhook_intermediate_status": run.webhook_intermediate_status,
        "batch_id": run.batch_id,
        "workflow_version_id": run.workflow_version_id,
        "deployment_id": run.deployment_id,
        "duration": _duration(run.created_at, run.ended_at),
        "comfy_deploy_cold_start": _duration(run.created_at, run.queued_at),
        "cold_start_duration": _duration(run.queued_at, run.started_at),
        "cold_start_duration_total": _duration(run.created_at, run.started_at),
        "run_duration": _duration(run.started_at, run.ended_at),
    }


def deployment_row_json(run: Run) -> dict[str, Any]:
    """Return a run as the list of a deployment's runs has it, with times that have no zone."""
    return {
        "id": run.id,
        "status": run.status,
        "created_at": to_naive(run.created_at),
        "started_at": to_naive(run.started_at) if run.started_at else None,
        "ended_at": to_naive(run.ended_at) if run.ended_at else None,
        "workflow_id": run.workflow_id,
        "workflow_version_id": run.workflow_version_id,
        "machine_id": run.machine_id,
        "gpu": run.gpu,
        "origin": run.origin,
        "user_id": run.user_id,
        "deployment_id": run.deployment_id,
        "duration": _duration(run.started_at, run.ended_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return to_milliseconds(moment) if moment else None


def _duration(start: datetime | None, end: datetime | None) -> str | None:
    return f"{(end - start).total_seconds():.6f}" if start and end else None
