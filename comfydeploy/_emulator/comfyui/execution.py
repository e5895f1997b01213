"""The life of a run that a real ComfyUI executes."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.comfyui.client import ComfyUIError
from comfydeploy._emulator.comfyui.errors import refusal_lines
from comfydeploy._emulator.comfyui.graph import class_of, inputs_of
from comfydeploy._emulator.comfyui.inputs import Inputs, is_input
from comfydeploy._emulator.comfyui.messages import Message, Messages
from comfydeploy._emulator.comfyui.outputs import Outputs
from comfydeploy._emulator.comfyui.prompt import DeletedError, prompted
from comfydeploy._emulator.comfyui.seeds import reseeded
from comfydeploy._emulator.comfyui.workflows import WorkflowFolder, missing_classes
from comfydeploy._emulator.deployments.deployment import USUAL, Deployment
from comfydeploy._emulator.folder import Folder
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.machine.life import Act, Change, Life
from comfydeploy._emulator.networks import Networks, RefusedAddressError
from comfydeploy._emulator.runs.events import Event, update
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.run import Run

_STARTED: Final = Change({"status": "started"})
# Inputs that a client adds for itself; no node takes them.
_RESERVED: Final = frozenset({"comfydeploy_key"})


@dataclass(frozen=True)
class Executions:
    """Executes graphs in ComfyUI; runs without a graph, or with a scripted end, are ``simulated``."""

    messages: Messages
    stored: Callable[[str], Path | None]
    networks: Networks
    folder: Folder
    clock: Clock
    ids: Ids
    arrival: Callable[[Run, Ids], Iterator[Act]]
    simulated: Life

    def life(self, run: Run, deployment: Deployment, number: int, base: str) -> AsyncGenerator[Act, None]:
        """Yield the life of a run from queueing to its end."""
        if deployment.workflow_api is None or deployment.outcome != USUAL:
            return self.simulated(run, deployment, number, base)
        return self._executed(run, deployment.workflow_api, deployment.workflow, base)

    async def position(self, run: Run) -> int | None:
        """Return the position of a run in ComfyUI's queue, if it waits there."""
        try:
            return await self.messages.comfyui.position(run.id)
        except ComfyUIError:
            return None

    async def problems(self, folder: WorkflowFolder | None) -> list[str]:
        """Return what is wrong with ComfyUI, and the workflows of a folder that it cannot execute."""
        try:
            known = await self.messages.comfyui.node_classes()
        except ComfyUIError as error:
            return [str(error)]
        return list(missing_classes(folder.deployments(), known)) if folder else []

    async def close(self) -> None:
        """Close the connections to ComfyUI."""
        await self.messages.close()
        await self.messages.comfyui.close()

    async def _executed(self, run: Run, graph: dict[str, Any], workflow: Any, base: str) -> AsyncGenerator[Act, None]:
        ids = self.ids.of(run.id)
        for act in self.arrival(run, ids):
            # It waits in ComfyUI's queue until ComfyUI says that it has started.
            if act != _STARTED:
                yield act
        with TemporaryDirectory(prefix="comfyui-", dir=self.folder.path) as folder:
            outputs = Outputs(self.messages.comfyui, run, base, Path(folder), self.clock, ids)
            execution = _Execution(run, graph, outputs, self.clock)
            dice = Random(ids.word(16))  # noqa: S311 - seeds of pictures are no secrets
            try:
                prompted_acts = self._prompted(execution, run, reseeded(graph, workflow, dice), workflow, base)
                async with aclosing(prompted_acts) as acts:
                    async for act in acts:
                        yield act
            except DeletedError:
                for act in execution.deleted():
                    yield act
            except (ComfyUIError, RefusedAddressError, OSError) as error:
                for act in execution.broken(error):
                    yield act

    async def _prompted(
        self, execution: "_Execution", run: Run, graph: dict[str, Any], workflow: Any, base: str
    ) -> AsyncGenerator[Act, None]:
        for act in execution.begun():
            yield act
        inputs = Inputs(self.messages.comfyui, self.stored, self.networks, base)
        filled = await inputs.filled(graph, run.workflow_inputs)
        async with prompted(self.messages, filled, workflow, run.id) as (prompt, queue):
            for act in execution.answered(prompt.answer):
                yield act
            if prompt.is_over:
                return
            async with aclosing(prompt.messages(queue)) as messages:
                async for message in messages:
                    for act in await execution.message_acts(message):
                        yield act


class _Execution:
    """The acts of a run, from the messages of ComfyUI."""

    def __init__(self, run: Run, graph: dict[str, Any], outputs: Outputs, clock: Clock) -> None:
        self._run: Final = run
        self._graph: Final = graph
        self._outputs: Final = outputs
        self._clock: Final = clock
        self._done: Final[set[str]] = set()
        self._current: str | None = None

    def begun(self) -> Iterator[Act]:
        """Yield a line for each input that no node takes, because its name may be mistyped."""
        known = {str(inputs_of(node).get("input_id")) for node in self._graph.values() if is_input(node)}
        for name in self._run.workflow_inputs:
            if name not in known | _RESERVED:
                takes = ", ".join(sorted(known)) or "none"
                yield self._line(f"No node takes the input {name!r}; the inputs of this graph are: {takes}")

    def answered(self, answer: dict[str, Any]) -> Iterator[Act]:
        """Yield the acts of the response to the prompt; a refusal ends the run."""
        if "prompt_id" in answer:
            answer = {**answer, "prompt_id": self._run.id}
        if answer.get("node_errors"):
            yield self._outputs.internal({"error": answer})
        yield Event("event_update", answer)
        for line in refusal_lines(answer):
            yield self._line(line)
        if "prompt_id" not in answer:
            yield from self._end("failed")

    async def message_acts(self, message: Message) -> list[Act]:
        """Return the acts of a message; the output of a node is fetched before they are returned."""
        kind, data = message
        more: Iterable[Act] = ()
        match kind:
            case "execution_start":
                more = [_STARTED, self._line(f"Executing prompt: {self._run.id}")]
            case "execution_cached":
                self._done.update(node for node in data.get("nodes", []) if node in self._graph)
            case "executing" if data.get("node") is None:
                # Nodes that were cached report no progress.
                more = [self._line("Prompt done"), Change({"progress": 1.0}), *self._end("success")]
            case "executing":
                more = self._begun(_node(data))
            case "executed" if isinstance(data.get("output"), dict):
                return await self._made(data)
            case "execution_error":
                more = [self._outputs.internal(data), *self._traced(data), *self._end("failed")]
            case "execution_interrupted":
                more = [self._line("Processing interrupted"), *self._end("cancelled")]
            case _:
                pass
        return [update(kind, data), *more]

    def deleted(self) -> Iterator[Act]:
        """Yield the end of a prompt that was deleted before ComfyUI began with it."""
        yield self._line("The prompt was taken out of ComfyUI's queue")
        yield from self._end("cancelled")

    def broken(self, error: Exception) -> Iterator[Act]:
        """Yield the end of a run that could not begin or go on."""
        data: dict[str, Any] = {
            "prompt_id": self._run.id,
            "node_id": self._current,
            "node_type": self._class_of(self._current),
            "executed": sorted(self._done),
            "exception_message": str(error),
            "exception_type": type(error).__name__,
            "traceback": [],
            "current_inputs": {},
            "current_outputs": [],
            "timestamp": int(self._clock.now().timestamp() * 1000),
        }
        yield update("execution_error", data)
        yield self._outputs.internal(data)
        yield from self._traced(data)
        yield from self._end("failed")

    def _class_of(self, node: str | None) -> str:
        return class_of(self._graph.get(node or ""))

    def _begun(self, node: str) -> Iterator[Act]:
        if node == self._current or node not in self._graph:
            return
        first = self._current is None
        self._current = node
        self._done.add(node)
        progress = round(len(self._done) / len(self._graph), 2)
        live = {"live_status": f"Executing {self._class_of(node)}", "progress": progress}
        yield update("live_status", {"prompt_id": self._run.id, **live})
        yield self._line(f"At: {progress:.0%} - {self._class_of(node)}")
        yield Change({"status": "running", **live} if first else live)
        if first:
            yield self._status("running")

    async def _made(self, data: dict[str, Any]) -> list[Act]:
        node = _node(data)
        output, upload = await self._outputs.fetched(node, self._class_of(node), data["output"])
        executed = update("executed", {**data, "output": output})
        return [upload, executed, update("output_ready", executed.data["data"])] if upload else [executed]

    def _traced(self, data: dict[str, Any]) -> Iterator[LogLine]:
        lines = "".join(data.get("traceback") or []).splitlines()
        for line in (*lines, f"{data.get('exception_type')}: {data.get('exception_message')}"):
            yield self._line(line)

    def _end(self, status: str) -> Iterator[Act]:
        yield Change({"status": status})
        yield self._status(status)

    def _status(self, status: str) -> Event:
        return update("status", {"prompt_id": self._run.id, "status": status})

    def _line(self, message: str) -> LogLine:
        return LogLine(message=message, moment=self._clock.now())


def _node(data: dict[str, Any]) -> str:
    # Nodes that a node has expanded to have ids of their own; they are shown as the node they came from.
    return str(data.get("display_node") or data["node"])
