"""The life of a run as a sequence of acts: pauses, changes, outputs, log lines and events."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeAlias

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments.deployment import DEFAULTS, Deployment, Node
from comfydeploy._emulator.deployments.outcomes import Fails, IsCancelled, NodeOutput, Succeeds, TimesOut
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.machine.pictures import draw
from comfydeploy._emulator.runs.events import Event, update
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.run import Output, OutputFile, Run

BOOT_SECONDS: Final = 0.1
START_SECONDS: Final = 0.1
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
"""Yields the acts of a run, given its deployment, its number and the server's address."""


class Simulation:
    """The lives of simulated runs; each act is created when its time has come."""

    def __init__(self, clock: Clock, ids: Ids, cold_start: float) -> None:
        self._clock: Final = clock
        self._ids: Final = ids
        self._cold_start: Final = cold_start

    async def life(self, run: Run, deployment: Deployment, number: int, base: str) -> AsyncGenerator[Act, None]:
        """Yield the life of a run from queueing to its end."""
        ids = self._ids.of(run.id)
        for act in self.arrival(run, ids):
            yield act
        yield Event("event_update", {"prompt_id": run.id, "number": number, "node_errors": {}})
        async for act in _Prompt(run, deployment, base, self._clock, ids).executed():
            yield act

    def arrival(self, run: Run, ids: Ids) -> Iterator[Act]:
        """Yield what happens until a ComfyUI is ready for the run."""
        yield update("queuing")
        yield Pause(self._cold_start)
        yield update("function_call_id", run.modal_function_call_id or ids.function_call())
        gpu_event_id = run.gpu_event_id or ids.uuid()
        yield Change({"status": "queued", "gpu_event_id": gpu_event_id})
        yield update("gpu_ready")
        yield update("gpu_event_id", gpu_event_id)
        yield Pause(min(BOOT_SECONDS, self._cold_start))
        yield update("comfyui_api_ready")
        yield Change({"status": "started"})
        yield update("comfyui_ready")


class _Prompt:
    """The part that ComfyUI plays: the nodes of the workflow, one after the other."""

    def __init__(self, run: Run, deployment: Deployment, base: str, clock: Clock, ids: Ids) -> None:
        self._run: Final = run
        self._nodes: Final = deployment.nodes
        self._outcome: Final = deployment.outcome
        self._base: Final = base
        self._clock: Final = clock
        self._ids: Final = ids
        self._states: Final[dict[str, dict[str, Any]]] = {}
        self._pictures: Final = count(1)
        self._node = self._nodes[0]

    async def executed(self) -> AsyncGenerator[Act, None]:
        """Yield the whole execution, or half of it and the end there."""
        whole = sum(node.seconds + (UPLOAD_SECONDS if _uploads(node) else 0) for node in self._nodes) + START_SECONDS
        left = whole if isinstance(self._outcome, Succeeds) else whole / 2
        stretch = 1.0 if self._outcome.seconds is None else self._outcome.seconds / left
        async with aclosing(self._success()) as acts:
            async for act in acts:
                if isinstance(act, Pause):
                    if not isinstance(self._outcome, Succeeds) and act.seconds >= left:
                        yield Pause(left * stretch)
                        break
                    left -= act.seconds
                    yield Pause(act.seconds * stretch)
                else:
                    yield act
        match self._outcome:
            case Fails(message=reason, exception_type=kind):
                for act in self._failed(reason, kind):
                    yield act
            case TimesOut():
                yield Change({"status": "timeout"})
            case IsCancelled():
                yield Change({"status": "cancelled"})
            case Succeeds():
                pass

    async def _success(self) -> AsyncGenerator[Act, None]:
        cached = [node.id for node in self._nodes if not node.seconds]
        yield Pause(START_SECONDS)
        yield self._stamped("execution_start")
        yield self._line(f"Executing prompt: {self._run.id}")
        yield self._stamped("execution_cached", nodes=cached)
        for position, node in enumerate(self._nodes, 1):
            if node.id in cached:
                continue
            self._node = node
            for act in self._begun(node, round(position / len(self._nodes), 2)):
                yield act
            for act in self._stepped(node, node.steps) if node.steps else [Pause(node.seconds)]:
                yield act
            if node.output:
                files = await self._files(node.output)
                for act in self._made(node, node.output, files):
                    yield act
            yield self._state(node, 1.0, 1.0)
        yield self._stamped("execution_success")
        yield self._update("executing", node=None)
        yield self._line("Prompt done")
        yield Change({"status": "success"})
        yield self._update("status", status="success")

    def _begun(self, node: Node, progress: float) -> Iterator[Act]:
        first = not self._states
        live = {"live_status": f"Executing {node.class_type}", "progress": progress}
        yield self._state(node, 0.0, 1.0)
        yield self._update("executing", node=node.id, display_node=node.id)
        yield self._update("live_status", **live)
        yield self._line(f"At: {progress:.0%} - {node.class_type}")
        yield Change({"status": "running", **live} if first else live)
        if first:
            yield self._update("status", status="running")

    def _stepped(self, node: Node, steps: int) -> Iterator[Act]:
        for value in range(1, steps + 1):
            yield Pause(node.seconds / node.steps)
            yield self._state(node, value, node.steps)
            yield self._update("progress", value=value, max=node.steps, node=node.id)

    async def _files(self, output: NodeOutput) -> Mapping[str, bytes]:
        if not output.draws:
            return output.files
        picture = await asyncio.to_thread(draw, {**DEFAULTS, **self._run.workflow_inputs})
        return {f"cd_{next(self._pictures):05}_.png": picture}

    def _made(self, node: Node, output: NodeOutput, files: Mapping[str, bytes]) -> Iterator[Act]:
        duration = UPLOAD_SECONDS * self._clock.pace
        described = {name: OutputFile(filename=name, upload_duration=duration) for name in files}
        listed = Output(
            id=self._ids.uuid(),
            output_id=output.output_id,
            run_id=self._run.id,
            node=node.id,
            node_class=node.class_type,
            data=output.data(described),
            created_at=self._clock.now(),
        )
        made = {"node": node.id, "display_node": node.id, "output": listed.event_json(self._base)}
        yield Upload(listed, files)
        yield self._update("executed", **made)
        if files:
            yield Pause(UPLOAD_SECONDS)
        yield self._update("output_ready", **made)

    def _failed(self, reason: str, kind: str) -> Iterator[Act]:
        yield self._stamped(
            "execution_error",
            node_id=self._node.id,
            node_type=self._node.class_type,
            executed=[done for done in self._states if done != self._node.id],
            exception_message=reason,
            exception_type=kind,
            traceback=[f"{kind}: {reason}\n"],
            current_inputs={},
            current_outputs=[],
        )
        yield self._line(f"{kind}: {reason}")
        yield Change({"status": "failed"})
        yield self._update("status", status="failed")

    def _line(self, message: str) -> LogLine:
        return LogLine(message=message, moment=self._clock.now())

    def _update(self, kind: str, **data: Any) -> Event:
        return update(kind, {"prompt_id": self._run.id, **data})

    def _stamped(self, kind: str, **data: Any) -> Event:
        return self._update(kind, **data, timestamp=int(self._clock.now().timestamp() * 1000))

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
        return self._update("progress_state", nodes=dict(self._states))


def _uploads(node: Node) -> bool:
    return bool(node.output and (node.output.draws or node.output.files))
