"""The lives of simulated runs."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.deployments.outcomes import CannotStart, IsRefused, Succeeds
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.machine.graphs import graph_error, refused
from comfydeploy._emulator.machine.life import Act, Change, Pause
from comfydeploy._emulator.machine.prompt import Prompt
from comfydeploy._emulator.runs.events import Event, update
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.output import InternalOutput
from comfydeploy._emulator.runs.run import Run

BOOT_SECONDS: Final = 0.1


class Simulation:
    """The lives of simulated runs; each act is created when its time has come."""

    def __init__(self, clock: Clock, ids: Ids, cold_start: float) -> None:
        self._clock: Final = clock
        self._ids: Final = ids
        self._cold_start: Final = cold_start

    async def life(self, run: Run, deployment: Deployment, number: int, base: str) -> AsyncGenerator[Act, None]:
        """Yield the life of a run from queueing to its end."""
        ids = self._ids.of(run.id)
        outcome = deployment.outcome
        if isinstance(outcome, CannotStart):
            for act in self._failed_start(outcome):
                yield act
            return
        for act in self.arrival(run, ids):
            yield act
        if isinstance(outcome, IsRefused):
            refusal: dict[str, Any] = {"error": dict(outcome.error), "node_errors": dict(outcome.node_errors)}
        else:
            refusal = {"error": graph_error(deployment.graph()), "node_errors": {}}
        if refusal["error"]:
            yield Pause(outcome.seconds or 0)
            for act in refused(run, refusal, self._clock.now(), ids):
                yield act
            return
        node_errors = dict(outcome.node_errors) if isinstance(outcome, Succeeds) else {}
        payload = {"prompt_id": run.id, "number": number, "node_errors": node_errors}
        if node_errors:
            yield InternalOutput(id=ids.uuid(), data={"error": payload}, created_at=self._clock.now())
        yield Event("event_update", payload)
        async for act in Prompt(run, deployment, base, self._clock, ids).executed():
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

    def _failed_start(self, outcome: CannotStart) -> Iterator[Act]:
        yield update("queuing")
        yield Pause(self._cold_start if outcome.seconds is None else outcome.seconds)
        for line in outcome.lines:
            yield LogLine(message=line, moment=self._clock.now())
        yield Change({"status": "failed"})
