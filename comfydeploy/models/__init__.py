"""The shapes of requests, answers and events. Each name loads only the module it lives in."""

from typing import TYPE_CHECKING

__all__ = [
    "CreateRunResponse",
    "DeploymentRunRequest",
    "Document",
    "EventUpdate",
    "EventUpdateEvent",
    "ExecutionMode",
    "Gpu",
    "LogUpdate",
    "LogUpdateEvent",
    "MediaItem",
    "Origin",
    "RunRequest",
    "RunStatus",
    "RunStream",
    "UnknownEvent",
    "ValidationError",
    "WorkflowRunModel",
    "WorkflowRunOutputModel",
    "WorkflowRunRequest",
    "WorkflowRunVersionRequest",
    "WorkflowRunWebhookBody",
    "WorkflowRunWebhookResponse",
]

if TYPE_CHECKING:
    from comfydeploy.models.create_run import CreateRunResponse
    from comfydeploy.models.document import Document
    from comfydeploy.models.run import RunStatus, WorkflowRunModel
    from comfydeploy.models.run_output import MediaItem, WorkflowRunOutputModel
    from comfydeploy.models.run_request import (
        DeploymentRunRequest,
        ExecutionMode,
        Gpu,
        Origin,
        RunRequest,
        WorkflowRunRequest,
        WorkflowRunVersionRequest,
    )
    from comfydeploy.models.run_stream import (
        EventUpdate,
        EventUpdateEvent,
        LogUpdate,
        LogUpdateEvent,
        RunStream,
        UnknownEvent,
    )
    from comfydeploy.models.validation import ValidationError
    from comfydeploy.models.webhook import WorkflowRunWebhookBody, WorkflowRunWebhookResponse
else:
    _HOMES = {
        name: home
        for home, names in {
            "create_run": ("CreateRunResponse",),
            "document": ("Document",),
            "run": ("RunStatus", "WorkflowRunModel"),
            "run_output": ("MediaItem", "WorkflowRunOutputModel"),
            "run_request": (
                "DeploymentRunRequest",
                "ExecutionMode",
                "Gpu",
                "Origin",
                "RunRequest",
                "WorkflowRunRequest",
                "WorkflowRunVersionRequest",
            ),
            "run_stream": (
                "EventUpdate",
                "EventUpdateEvent",
                "LogUpdate",
                "LogUpdateEvent",
                "RunStream",
                "UnknownEvent",
            ),
            "validation": ("ValidationError",),
            "webhook": ("WorkflowRunWebhookBody", "WorkflowRunWebhookResponse"),
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
