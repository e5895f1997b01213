"""The life of a run, told as a sequence of acts: what is waited for, what changes, what the stream hears."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import uuid4

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments import DEFAULTS, Deployment, Node
from comfydeploy._emulator.events import Event, update
from comfydeploy._emulator.logs import LogLine
from comfydeploy._emulator.pictures import draw
from comfydeploy._emulator.runs import Output, OutputFile, Run, new_function_call

UPLOAD_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Pause:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class Change:
    """Fields of the run get new values."""

    fields: dict[str, Any]


@dataclass(frozen=True)
class Upload:
    """An output is listed, and its files are saved: by name their bytes, or where they are to be taken from."""

    output: Output
    files: Mapping[str, bytes | Path]


Act: TypeAlias = Pause | Change | Upload | LogLine | Event
Life: TypeAlias = Callable[[Run, Deployment, int, str], AsyncGenerator[Act, None]]
"""Tells the acts of a run, given its deployment, its number and the server's address."""


def arrival(run: Run) -> Iterator[Act]:
    """Tell how a run comes to a ComfyUI that is ready for it."""
    yield update("queuing")
    yield Pause(0.3)
    yield update("function_call_id", run.modal_function_call_id or new_function_call())
    gpu_event_id = run.gpu_event_id or str(uuid4())
    yield Change({"status": "queued", "gpu_event_id": gpu_event_id})
    yield update("gpu_ready")
    yield update("gpu_event_id", gpu_event_id)
    yield Pause(0.1)
    yield update("comfyui_api_ready")
    yield Change({"status": "started"})
    yield update("comfyui_ready")


async def life(run: Run, deployment: Deployment, number: int, base: str, clock: Clock) -> AsyncGenerator[Act, None]:
    """Tell the life of a run from queueing to its end; every act is made only when its time has come."""
    for act in arrival(run):
        yield act
    yield Event("event_update", {"prompt_id": run.id, "number": number, "node_errors": {}})
    yield Pause(0.1)
    async for act in _Prompt(run, deployment, base, clock).executed():
        yield act


class _Prompt:
    """The part that ComfyUI plays: the nodes of the workflow, one after the other."""

    def __init__(self, run: Run, deployment: Deployment, base: str, clock: Clock) -> None:
        self._run: Final = run
        self._nodes: Final = deployment.nodes
        self._failure: Final = _failure(run.workflow_inputs.get("fail"), deployment)
        self._base: Final = base
        self._clock: Final = clock
        self._states: Final[dict[str, dict[str, Any]]] = {}

    async def executed(self) -> AsyncGenerator[Act, None]:
        cached = [node.id for node in self._nodes if not node.seconds]
        yield self._stamped("execution_start")
        yield self._line(f"Executing prompt: {self._run.id}")
        yield self._stamped("execution_cached", nodes=cached)
        for position, node in enumerate(self._nodes, 1):
            if node.id in cached:
                continue
            for act in self._begun(node, round(position / len(self._nodes), 2)):
                yield act
            if self._failure and node.steps:
                for act in chain(self._stepped(node, node.steps // 2), self._failed(node, self._failure)):
                    yield act
                return
            for act in self._stepped(node, node.steps) if node.steps else [Pause(node.seconds)]:
                yield act
            if node.output_id:
                picture = await asyncio.to_thread(draw, {**DEFAULTS, **self._run.workflow_inputs})
                for act in self._uploaded(node, picture):
                    yield act
            yield self._state(node, 1.0, 1.0)
        yield self._stamped("execution_success")
        yield self._told("executing", node=None)
        yield self._line("Prompt done")
        yield Change({"status": "success"})
        yield self._told("status", status="success")

    def _begun(self, node: Node, progress: float) -> Iterator[Act]:
        first = not self._states
        live = {"live_status": f"Executing {node.class_type}", "progress": progress}
        yield self._state(node, 0.0, 1.0)
        yield self._told("executing", node=node.id, display_node=node.id)
        yield self._told("live_status", **live)
        yield self._line(f"At: {progress:.0%} - {node.class_type}")
        yield Change({"status": "running", **live} if first else live)
        if first:
            yield self._told("status", status="running")

    def _stepped(self, node: Node, steps: int) -> Iterator[Act]:
        for value in range(1, steps + 1):
            yield Pause(node.seconds / node.steps)
            yield self._state(node, value, node.steps)
            yield self._told("progress", value=value, max=node.steps, node=node.id)

    def _uploaded(self, node: Node, picture: bytes) -> Iterator[Act]:
        file = OutputFile(filename="cd_00001_.png", upload_duration=UPLOAD_SECONDS * self._clock.pace)
        output = Output(
            id=str(uuid4()),
            output_id=node.output_id,
            run_id=self._run.id,
            node=node.id,
            node_class=node.class_type,
            data={"images": [file]},
            created_at=self._clock.now(),
        )
        made = {"node": node.id, "display_node": node.id, "output": output.executed(self._base)}
        yield Upload(output, {file.filename: picture})
        yield self._told("executed", **made)
        yield Pause(UPLOAD_SECONDS)
        yield self._told("output_ready", **made)

    def _failed(self, node: Node, reason: str) -> Iterator[Act]:
        yield self._stamped(
            "execution_error",
            node_id=node.id,
            node_type=node.class_type,
            executed=[done for done in self._states if done != node.id],
            exception_message=reason,
            exception_type="RuntimeError",
            traceback=[f"RuntimeError: {reason}\n"],
            current_inputs={},
            current_outputs=[],
        )
        yield self._line(f"RuntimeError: {reason}")
        yield Change({"status": "failed"})
        yield self._told("status", status="failed")

    def _line(self, message: str) -> LogLine:
        return LogLine(message=message, moment=self._clock.now())

    def _told(self, kind: str, **data: Any) -> Event:
        return update(kind, {"prompt_id": self._run.id, **data})

    def _stamped(self, kind: str, **data: Any) -> Event:
        return self._told(kind, **data, timestamp=int(self._clock.now().timestamp() * 1000))

    def _state(self, node: Node, value: float, most: float) -> Event:
        self._states[node.id] = {
            "value": value,
            "max": most,
            "state": "finished" if value == most else "running",
            "node_id": node.id,
            "prompt_id": self._run.id,
            "display_node_id": node.id,
            "parent_node_id": None,
            "real_node_id": node.id,
        }
        return self._told("progress_state", nodes=dict(self._states))


def _failure(asked: Any, deployment: Deployment) -> str | None:
    if not asked:
        return deployment.failure
    return asked if isinstance(asked, str) else "The run was asked to fail."
