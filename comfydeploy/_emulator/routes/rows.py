"""Runs as rows of the database, as the list of a workflow's runs has them."""

from datetime import datetime
from typing import Any

from comfydeploy._emulator.clock import to_milliseconds
from comfydeploy._emulator.deployments.deployment import CREATED, USER, Deployment
from comfydeploy._emulator.runs.run import Run


def row_json(run: Run, deployment: Deployment, base: str) -> dict[str, Any]:
    """Return a run with all its columns, its workflow and its version; durations are text."""
    return {
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
        "workflow": _workflow(deployment),
        "outputs": [output.webhook_json(base) for output in run.outputs],
        "version": _version(deployment) if run.workflow_version_id else None,
    }


def _workflow(deployment: Deployment) -> dict[str, Any]:
    return {
        "id": deployment.workflow_id,
        "org_id": None,
        "name": deployment.name,
        "created_at": _moment(CREATED),
        "updated_at": _moment(CREATED),
        "deleted": False,
        "user_id": USER,
        "selected_machine_id": deployment.machine_id,
        "description": None,
        "cover_image": None,
        "pinned": False,
    }


def _version(deployment: Deployment) -> dict[str, Any]:
    return {
        "workflow_api": deployment.graph(),
        "id": deployment.version_id,
        "comment": None,
        "version": 1,
        "dependencies": None,
        "created_at": _moment(CREATED),
        "machine_version_id": None,
        "comfyui_snapshot": None,
        "workflow": deployment.drawing(),
        "workflow_id": deployment.workflow_id,
        "user_id": USER,
        "snapshot": None,
        "updated_at": _moment(CREATED),
        "machine_id": None,
    }


def _moment(moment: datetime | None) -> str | None:
    return to_milliseconds(moment) if moment else None


def _duration(start: datetime | None, end: datetime | None) -> str | None:
    return f"{(end - start).total_seconds():.6f}" if start and end else None
