"""Graphs that ComfyUI refuses."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.machine.life import Act, Change
from comfydeploy._emulator.runs.events import Event, update
from comfydeploy._emulator.runs.output import InternalOutput
from comfydeploy._emulator.runs.run import Run

UNKNOWN_CLASS: Final = "NoSuchNode"


def graph_error(graph: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return ComfyUI's error for the first node without a class or of the class ``NoSuchNode``, if there is one."""
    for key, node in graph.items():
        match node:
            case {"class_type": str(name)} if name != UNKNOWN_CLASS:
                continue
            case {"class_type": _}:
                message = f"Cannot execute because node {UNKNOWN_CLASS} does not exist."
            case _:
                message = "Cannot execute because a node is missing the class_type property."
        return {"type": "invalid_prompt", "message": message, "details": f"Node ID '#{key}'", "extra_info": {}}
    return None


def refused(run: Run, payload: dict[str, Any], now: datetime, ids: Ids) -> Iterator[Act]:
    """Yield the end of a run whose graph ComfyUI has refused; the service keeps the errors of nodes only."""
    yield Event("event_update", payload)
    if payload.get("node_errors"):
        yield InternalOutput(id=ids.uuid(), data={"error": payload}, created_at=now)
    yield Change({"status": "failed"})
    yield update("status", {"prompt_id": run.id, "status": "failed"})
