"""Machines: what runs are executed on."""

from datetime import datetime
from typing import Any

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class MachineModel(Document):
    """A machine: ``id`` is the ``machine_id`` of requests for runs and sessions.

    A list has the fields up to ``updated_at``; ``machine_get`` has all. Timeouts are in seconds. ``raw`` has the rest,
    such as the commands that build it.
    """

    id: str
    name: str | None = None
    type: str | None = None
    status: str | None = None
    gpu: str | None = None
    user_id: str | None = None
    org_id: str | None = None
    comfyui_version: str | None = None
    machine_version: str | None = None
    machine_version_id: str | None = None
    machine_builder_version: str | None = None
    import_failed_logs: str | None = None
    is_workspace: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    endpoint: str | None = None
    deleted: bool | None = None
    concurrency_limit: int | None = None
    run_timeout: int | None = None
    idle_timeout: int | None = None
    keep_warm: int | None = None
    allow_concurrent_inputs: int | None = None
    base_docker_image: str | None = None
    python_version: str | None = None
    extra_args: str | None = None
    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: int | None = None
    memory_limit: int | None = None
    models_to_cache: Any = None
