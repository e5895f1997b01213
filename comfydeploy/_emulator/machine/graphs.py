"""Graphs that ComfyUI refuses."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.machine.life import Act, Change, Life
from comfydeploy._emulator.runs.events import Event, update
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


def checked_life(life: Life) -> Life:
    """Wrap a life so that it ends where ComfyUI refuses the graph."""

    async def lived(run: Run, deployment: Deployment, number: int, base: str) -> AsyncGenerator[Act, None]:
        error = graph_error(deployment.graph())
        async with aclosing(life(run, deployment, number, base)) as acts:
            async for act in acts:
                if error and isinstance(act, Event) and "node_errors" in act.data:
                    yield Event("event_update", {"error": error, "node_errors": {}})
                    yield Change({"status": "failed"})
                    yield update("status", {"prompt_id": run.id, "status": "failed"})
                    return
                yield act

    return lived
