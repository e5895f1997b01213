"""Native runs, which the caller executes on their own ComfyUI."""

from typing import Any

from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.deployments.forms import RunRequest, WorkflowRunRequest
from comfydeploy._emulator.runs.run import Run


def native_json(run: Run, form: RunRequest, deployment: Deployment, base: str, token: str) -> dict[str, Any]:
    """Return everything that a ComfyUI needs; ``token`` gives no access."""
    if isinstance(form, WorkflowRunRequest):
        graph, workflow = form.workflow_api_json, form.workflow
    else:
        graph, workflow = deployment.graph(), deployment.drawing()
    return {
        "prompt_id": run.id,
        "workflow_api_raw": graph,
        "workflow": workflow,
        "inputs": run.workflow_inputs,
        "status_endpoint": f"{base}api/update-run",
        "file_upload_endpoint": f"{base}api/file-upload",
        "cd_token": token,
        "gpu_event_id": run.gpu_event_id,
    }
