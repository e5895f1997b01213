"""A local ComfyDeploy server that executes runs (extra ``comfydeploy[emulator]``)."""

try:
    from comfydeploy._emulator.deployments.outcomes import (
        CannotStart,
        Crashes,
        Fails,
        IsCancelled,
        IsRefused,
        LosesOutputs,
        NodeOutput,
        OnlyPreviews,
        Outcome,
        Succeeds,
        TimesOut,
    )
    from comfydeploy._emulator.emulator import Emulator
    from comfydeploy._emulator.faults.faults import Fault
    from comfydeploy._emulator.quirks.catalogue import Quirk
    from comfydeploy._emulator.runs.output import Output, OutputFile
    from comfydeploy._emulator.runs.run import Run
    from comfydeploy._emulator.web.contents import ReceivedFile
    from comfydeploy._emulator.web.recorder import ReceivedRequest
    from comfydeploy._emulator.webhooks.deliveries import Delivery
except ModuleNotFoundError as _missing:
    needed = "the local server needs the extra: in a checkout, pip install '.[emulator]'"
    raise ModuleNotFoundError(f"{_missing.name} is not installed; {needed}", name=_missing.name) from None

__all__ = [
    "CannotStart",
    "Crashes",
    "Delivery",
    "Emulator",
    "Fails",
    "Fault",
    "IsCancelled",
    "IsRefused",
    "LosesOutputs",
    "NodeOutput",
    "OnlyPreviews",
    "Outcome",
    "Output",
    "OutputFile",
    "Quirk",
    "ReceivedFile",
    "ReceivedRequest",
    "Run",
    "Succeeds",
    "TimesOut",
]
