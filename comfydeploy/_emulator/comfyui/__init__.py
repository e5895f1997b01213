"""Runs that a real ComfyUI executes (extra ``comfydeploy[comfyui]``, imported when it is used)."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfydeploy._emulator.comfyui.client import ComfyUI
    from comfydeploy._emulator.comfyui.workflows import WorkflowFolder


def connected(address: str | None, workflows: str | Path | None) -> "tuple[ComfyUI | None, WorkflowFolder | None]":
    """Return the ComfyUI at an address, if one is given, and the folder of workflows for it."""
    if address is None:
        if workflows is not None:
            raise ValueError("workflows needs comfyui: the address of the ComfyUI that executes them")
        return None, None
    try:
        from comfydeploy._emulator.comfyui.client import ComfyUI
    except ModuleNotFoundError as missing:
        needed = "to execute graphs needs the extra: in a checkout, pip install '.[comfyui]'"
        raise ModuleNotFoundError(f"{missing.name} is not installed; {needed}", name=missing.name) from None
    from comfydeploy._emulator.comfyui.workflows import WorkflowFolder

    return ComfyUI(address), None if workflows is None else WorkflowFolder(Path(workflows))
