"""The models of requests, responses and events. Each name loads only its own module."""

from typing import TYPE_CHECKING

__all__ = [
    "AdoptedRuns",
    "AnyRunRequest",
    "Asset",
    "CancelRunResponse",
    "CancelSessionResponse",
    "CreateDeploymentRequest",
    "CreateRunBatchResponse",
    "CreateRunResponse",
    "CreateSessionRequest",
    "CreateSessionResponse",
    "DeleteAssetResponse",
    "DeploymentEnvironment",
    "DeploymentInput",
    "DeploymentModel",
    "DeploymentOutput",
    "DeploymentRunRequest",
    "Document",
    "EventUpdate",
    "EventUpdateEvent",
    "ExecutionMode",
    "FeaturedDeployment",
    "FileUploadResponse",
    "FoundModel",
    "FoundRuns",
    "Gpu",
    "IncreaseTimeoutResponse",
    "LogUpdate",
    "LogUpdateEvent",
    "MachineModel",
    "MediaFile",
    "MediaItem",
    "NativeRun",
    "Origin",
    "OutputFile",
    "PublicModel",
    "PublicModelInput",
    "QueuedOnce",
    "RunLog",
    "RunLogLine",
    "RunProgress",
    "RunRequest",
    "RunStatus",
    "RunStream",
    "Secret",
    "Session",
    "UnknownEvent",
    "UpdateDeploymentRequest",
    "Usage",
    "UsageItem",
    "UsagePeriod",
    "ValidationError",
    "WorkflowModel",
    "WorkflowRunModel",
    "WorkflowRunOutputModel",
    "WorkflowRunRequest",
    "WorkflowRunRow",
    "WorkflowRunVersionRequest",
    "WorkflowRunWebhookBody",
    "WorkflowRunWebhookResponse",
    "WorkflowVersionModel",
]

if TYPE_CHECKING:
    from comfydeploy.models.adopted_runs import AdoptedRuns
    from comfydeploy.models.asset import Asset, DeleteAssetResponse
    from comfydeploy.models.cancel_run import CancelRunResponse
    from comfydeploy.models.create_run import CreateRunResponse
    from comfydeploy.models.deployment import (
        DeploymentEnvironment,
        DeploymentInput,
        DeploymentModel,
        DeploymentOutput,
    )
    from comfydeploy.models.deployment_request import CreateDeploymentRequest, UpdateDeploymentRequest
    from comfydeploy.models.document import Document
    from comfydeploy.models.featured_deployment import FeaturedDeployment
    from comfydeploy.models.file_upload import FileUploadResponse
    from comfydeploy.models.found_model import FoundModel
    from comfydeploy.models.found_runs import FoundRuns
    from comfydeploy.models.machine import MachineModel
    from comfydeploy.models.media_file import MediaFile
    from comfydeploy.models.native_run import NativeRun
    from comfydeploy.models.output_file import OutputFile
    from comfydeploy.models.public_model import PublicModel, PublicModelInput
    from comfydeploy.models.queued_once import QueuedOnce
    from comfydeploy.models.run import RunStatus, WorkflowRunModel
    from comfydeploy.models.run_batch import CreateRunBatchResponse
    from comfydeploy.models.run_log import RunLog, RunLogLine
    from comfydeploy.models.run_output import MediaItem, WorkflowRunOutputModel
    from comfydeploy.models.run_progress import RunProgress
    from comfydeploy.models.run_request import (
        AnyRunRequest,
        DeploymentRunRequest,
        ExecutionMode,
        Gpu,
        Origin,
        RunRequest,
        WorkflowRunRequest,
        WorkflowRunVersionRequest,
    )
    from comfydeploy.models.run_row import WorkflowRunRow
    from comfydeploy.models.run_stream import (
        EventUpdate,
        EventUpdateEvent,
        LogUpdate,
        LogUpdateEvent,
        RunStream,
        UnknownEvent,
    )
    from comfydeploy.models.secret import Secret
    from comfydeploy.models.session import (
        CancelSessionResponse,
        CreateSessionRequest,
        CreateSessionResponse,
        IncreaseTimeoutResponse,
        Session,
    )
    from comfydeploy.models.usage import Usage, UsageItem, UsagePeriod
    from comfydeploy.models.validation import ValidationError
    from comfydeploy.models.webhook import WorkflowRunWebhookBody, WorkflowRunWebhookResponse
    from comfydeploy.models.workflow import WorkflowModel, WorkflowVersionModel
else:
    _HOMES = {
        name: home
        for home, names in {
            "adopted_runs": ("AdoptedRuns",),
            "asset": (
                "Asset",
                "DeleteAssetResponse",
            ),
            "cancel_run": ("CancelRunResponse",),
            "create_run": ("CreateRunResponse",),
            "deployment": (
                "DeploymentEnvironment",
                "DeploymentInput",
                "DeploymentModel",
                "DeploymentOutput",
            ),
            "deployment_request": (
                "CreateDeploymentRequest",
                "UpdateDeploymentRequest",
            ),
            "document": ("Document",),
            "featured_deployment": ("FeaturedDeployment",),
            "file_upload": ("FileUploadResponse",),
            "found_model": ("FoundModel",),
            "found_runs": ("FoundRuns",),
            "machine": ("MachineModel",),
            "media_file": ("MediaFile",),
            "native_run": ("NativeRun",),
            "output_file": ("OutputFile",),
            "public_model": (
                "PublicModel",
                "PublicModelInput",
            ),
            "queued_once": ("QueuedOnce",),
            "run": (
                "RunStatus",
                "WorkflowRunModel",
            ),
            "run_batch": ("CreateRunBatchResponse",),
            "run_log": (
                "RunLog",
                "RunLogLine",
            ),
            "run_output": (
                "MediaItem",
                "WorkflowRunOutputModel",
            ),
            "run_progress": ("RunProgress",),
            "run_request": (
                "AnyRunRequest",
                "DeploymentRunRequest",
                "ExecutionMode",
                "Gpu",
                "Origin",
                "RunRequest",
                "WorkflowRunRequest",
                "WorkflowRunVersionRequest",
            ),
            "run_row": ("WorkflowRunRow",),
            "run_stream": (
                "EventUpdate",
                "EventUpdateEvent",
                "LogUpdate",
                "LogUpdateEvent",
                "RunStream",
                "UnknownEvent",
            ),
            "secret": ("Secret",),
            "session": (
                "CancelSessionResponse",
                "CreateSessionRequest",
                "CreateSessionResponse",
                "IncreaseTimeoutResponse",
                "Session",
            ),
            "usage": (
                "Usage",
                "UsageItem",
                "UsagePeriod",
            ),
            "validation": ("ValidationError",),
            "webhook": (
                "WorkflowRunWebhookBody",
                "WorkflowRunWebhookResponse",
            ),
            "workflow": (
                "WorkflowModel",
                "WorkflowVersionModel",
            ),
        }.items()
        for name in names
    }

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name not in _HOMES:
            raise AttributeError(f"module 'comfydeploy.models' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"comfydeploy.models.{_HOMES[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return [*globals(), *__all__]
