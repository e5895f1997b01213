"""The three forms of a request for a run. ``None`` means "not given" and is not sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from attrs import frozen

from comfydeploy.models.document import Shown

ExecutionMode: TypeAlias = Literal["async", "sync", "sync_first_result", "stream"]
Gpu: TypeAlias = Literal["CPU", "T4", "L4", "A10G", "L40S", "A100", "A100-80GB", "H100", "H200", "B200"]
Origin: TypeAlias = Literal["manual", "api", "public-share"]


@frozen(kw_only=True, init=False, repr=False, eq=False)  # the three have their own
class _RunRequest(Shown):
    """The common fields of every request.

    ``inputs`` are the values of the workflow's external inputs by their ids; an unknown id is
    ignored by the server. ``webhook`` is an address that receives every change of status, and also every node
    with ``webhook_intermediate_status``. ``batch_number`` is the number of runs; ``batch_input_params`` creates one for
    every combination of the listed values.
    """

    inputs: Mapping[str, Any] | None = None
    webhook: str | None = None
    webhook_intermediate_status: bool | None = None
    gpu: Gpu | str | None = None
    execution_mode: ExecutionMode | str | None = None
    origin: Origin | str | None = None
    batch_number: int | None = None
    batch_input_params: Mapping[str, Sequence[Any]] | None = None
    is_native_run: bool | None = None
    gpu_event_id: str | None = None
    flags: Sequence[str] | None = None


@frozen(kw_only=True, repr=False)
class WorkflowRunVersionRequest(_RunRequest):
    """Run one version of a workflow; the server also needs ``machine_id`` and answers 404 without it."""

    workflow_version_id: str
    machine_id: str | None = None


@frozen(kw_only=True, repr=False)
class WorkflowRunRequest(_RunRequest):
    """Run a whole graph, ``workflow_api_json`` in ComfyUI's API format, as a run of a workflow."""

    workflow_id: str
    workflow_api_json: Mapping[str, Any]
    workflow: Mapping[str, Any] | None = None
    machine_id: str | None = None


@frozen(kw_only=True, repr=False)
class DeploymentRunRequest(_RunRequest):
    """Run a deployment: a workflow version on its machine."""

    deployment_id: str


RunRequest: TypeAlias = WorkflowRunVersionRequest | WorkflowRunRequest | DeploymentRunRequest
AnyRunRequest: TypeAlias = RunRequest | Mapping[str, Any]
"""A request for a run: one of the three forms, or a mapping with the same keys."""
