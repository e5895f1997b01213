"""Workflows and their versions."""

from datetime import datetime
from typing import Any

from attrs import field, frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class WorkflowVersionModel(Document):
    """A version of a workflow: ``id`` is the ``workflow_version_id`` of a request.

    ``workflow_api`` is the graph in ComfyUI's API format, ``workflow`` the same as ComfyUI's page shows it.
    """

    id: str
    workflow_id: str | None = None
    version: int | None = None
    comment: str | None = None
    workflow_api: Any = None
    workflow: Any = None
    user_id: str | None = None
    machine_id: str | None = None
    machine_version_id: str | None = None
    dependencies: Any = None
    snapshot: Any = None
    comfyui_snapshot: Any = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@frozen(kw_only=True, repr=False)
class WorkflowModel(Document):
    """A workflow with its latest versions, newest first: ``id`` is the ``workflow_id`` of a request."""

    id: str
    name: str | None = None
    description: str | None = None
    user_id: str | None = None
    org_id: str | None = None
    selected_machine_id: str | None = None
    cover_image: str | None = None
    pinned: bool | None = None
    deleted: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    versions: list[WorkflowVersionModel] = field(factory=list[WorkflowVersionModel])
