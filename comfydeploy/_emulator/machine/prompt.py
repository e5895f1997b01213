"""The simulated ComfyUI: the execution of a workflow node by node."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from itertools import count
from typing import Any, Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.deployments.nodes import DEFAULTS, Node
from comfydeploy._emulator.deployments.outcomes import (
    Crashes,
    Fails,
    IsCancelled,
    LosesOutputs,
    NodeOutput,
    OnlyPreviews,
    TimesOut,
)
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.machine.life import Act, Change, Pause, Upload
from comfydeploy._emulator.machine.pictures import draw
from comfydeploy._emulator.runs.events import Event, update
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.output import InternalOutput, Output, OutputFile
from comfydeploy._emulator.runs.run import Run

START_SECONDS: Final = 0.1
UPLOAD_SECONDS: Final = 0.1
# Where ComfyUI calls a node, at the end of the traceback of a node that raises.
_FRAMES: Final = (
    '  File "/comfyui/execution.py", line 496, in execute\n    output_data = await get_output_data(prompt_id, obj)\n',
    '  File "/comfyui/execution.py", line 277, in process_inputs\n    result = f(**inputs)\n',
)


class Prompt:
    """What ComfyUI does with a simulated run: it executes the nodes one after the other."""

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
        """Yield the execution until its end, or until the moment at which the outcome ends it."""
        left = self._seconds_to_end()
        stretch = 1.0 if self._outcome.seconds is None else self._outcome.seconds / left
        async with aclosing(self._success()) as acts:
            async for act in acts:
                if not isinstance(act, Pause):
                    yield act
                elif self._is_cut_short and act.seconds >= left:
                    yield Pause(left * stretch)
                    break
                else:
                    left -= act.seconds
                    yield Pause(act.seconds * stretch)
        for act in self._end():
            yield act

    @property
    def _is_cut_short(self) -> bool:
        return isinstance(self._outcome, Fails | TimesOut | IsCancelled | Crashes)

    def _seconds_to_end(self) -> float:
        """Return the seconds that the execution takes, or half of it where the outcome cuts it short."""
        whole = sum(node.seconds + (UPLOAD_SECONDS if _uploads(node) else 0) for node in self._nodes) + START_SECONDS
        if not self._is_cut_short:
            return whole
        if not isinstance(self._outcome, Fails) or not self._outcome.outputs:
            return whole / 2
        # The outputs are made first, and then half of the rest is executed.
        first = START_SECONDS + sum(
            node.seconds + (UPLOAD_SECONDS if _uploads(node) else 0) for node in self._nodes if node.output
        )
        return (first + whole) / 2

    def _end(self) -> Iterator[Act]:
        match self._outcome:
            case Fails(message=reason, exception_type=kind):
                yield from self._failed(reason, kind)
            case TimesOut():
                yield Change({"status": "timeout"})
            case IsCancelled():
                yield Change({"status": "cancelled"})
            case Crashes() if self._run.modal_function_call_id:
                yield Change({"status": "failed"})
            case Crashes():
                # Only the function call would report the crash, and a streamed run has none.
                pass
            case OnlyPreviews(limit=limit):
                yield self._node_times()
                yield Pause(limit)
                yield Change({"status": "timeout"})
            case _:
                yield self._node_times()
                yield Change({"status": "success"})
                yield self._update("status", status="success")

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
        if isinstance(self._outcome, LosesOutputs):
            yield self._update("executed", **made)
            yield Pause(UPLOAD_SECONDS)
            for name in files:
                yield self._line(f"Upload failed for {name}: {self._outcome.message}")
            return
        yield Upload(listed, files)
        yield self._update("executed", **made)
        if files:
            yield Pause(UPLOAD_SECONDS)
        yield self._update("output_ready", **made)

    def _failed(self, reason: str, kind: str) -> Iterator[Act]:
        error = self._stamped(
            "execution_error",
            node_id=self._node.id,
            node_type=self._node.class_type,
            executed=[done for done in self._states if done != self._node.id],
            exception_message=f"{reason}\n",
            exception_type=kind,
            traceback=list(_FRAMES),
            current_inputs={name: [str(value)] for name, value in self._run.workflow_inputs.items()},
            current_outputs=[node.id for node in self._nodes],
        )
        yield error
        yield self._line(f"!!! Exception during processing !!! {reason}")
        yield self._line(f"{kind}: {reason}")
        yield InternalOutput(id=self._ids.uuid(), data=error.data["data"], created_at=self._clock.now())
        yield self._node_times()
        yield Change({"status": "failed"})
        yield self._update("status", status="failed")

    def _node_times(self) -> InternalOutput:
        """Return the list of the nodes that were executed, with the seconds that each has taken."""
        times = [
            {"id": node.id, "time": node.seconds * self._clock.pace, "vram_used": 0, "class_type": node.class_type}
            for node in self._nodes
            if node.id in self._states
        ]
        return InternalOutput(id=self._ids.uuid(), data=times, created_at=self._clock.now())

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
