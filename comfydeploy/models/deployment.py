"""Deployments, with their inputs and outputs."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from comfydeploy.models.document import Document

DeploymentEnvironment: TypeAlias = Literal[
    "staging", "production", "public-share", "private-share", "community-share", "preview"
]


@frozen(kw_only=True, repr=False)
class DeploymentInput(Document):
    """An input of a deployment: ``input_id`` is its key in ``inputs``.

    ``type`` is the server's name of its type (``string``, ``integer``, ``image``, ...), ``min_value``, ``max_value``
    and ``step`` the limits of a number, ``enum_options`` the allowed texts.
    """

    input_id: str
    type: str | None = None
    class_type: str | None = None
    display_name: str | None = None
    description: str | None = None
    default_value: Any = None
    min_value: float | str | None = None
    max_value: float | str | None = None
    step: float | str | None = None
    enum_options: list[Any] = field(factory=list[Any])


@frozen(kw_only=True, repr=False)
class DeploymentOutput(Document):
    """An output of a deployment: ``output_id`` is that of ``WorkflowRunOutputModel``."""

    output_id: str
    class_type: str | None = None


@frozen(kw_only=True, repr=False)
class DeploymentModel(Document):
    """A deployment: ``id`` is the ``deployment_id`` of a request; ``raw`` has the whole workflow.

    ``run_timeout`` and ``idle_timeout`` are in seconds.
    """

    id: str
    environment: DeploymentEnvironment | str | None = None
    workflow_id: str | None = None
    workflow_version_id: str | None = None
    machine_id: str | None = None
    user_id: str | None = None
    org_id: str | None = None
    share_slug: str | None = None
    description: str | None = None
    gpu: str | None = None
    machine: Any = None
    machine_version_id: str | None = None
    modal_app_id: str | None = None
    modal_image_id: str | None = None
    dub_link: str | None = None
    concurrency_limit: int | None = None
    run_timeout: int | None = None
    idle_timeout: int | None = None
    keep_warm: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    activated_at: datetime | None = None
    workflow: Any = None
    share_options: Any = None
    showcase_media: Any = None
    input_types: list[DeploymentInput] = field(factory=list[DeploymentInput])
    output_types: list[DeploymentOutput] = field(factory=list[DeploymentOutput])
