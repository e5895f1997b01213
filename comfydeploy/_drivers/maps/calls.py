"""The calls of a map, awaited by its loop: async ones, or blocking ones in threads."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from attrs import frozen

from comfydeploy._drivers.call import call, call_async
from comfydeploy._drivers.maps.threads import Threads
from comfydeploy._drivers.run_files import RunGet, Saved, SaveTerms, save, save_async
from comfydeploy._drivers.steps import Machine, run_steps, run_steps_async
from comfydeploy._drivers.waiting import Operations, WaitResult, wait, wait_async
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.queue_once import Sending
from comfydeploy._wire.run_search import Lists
from comfydeploy._wire.wait_settings import WaitSettings
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

V = TypeVar("V")


@frozen
class Service:
    """The operations of the server that a map needs."""

    sending: Sending
    lists: Lists
    steps: Operations
    run_get: RunGet
    small_rows: Operation[Mapping[str, Any], Any]


class Calls(Protocol):
    """The calls of a map, async or blocking."""

    async def send(self, operation: Operation[Any, V], argument: Any, options: RequestOptions) -> Result[V, Error]:
        """Make a call."""
        ...

    async def steps(self, machine: Machine[V], options: RequestOptions) -> Result[V, Error]:
        """Carry out the steps of a machine."""
        ...

    async def wait(self, run_id: str, options: RequestOptions) -> WaitResult:
        """Wait until a run has ended."""
        ...

    async def save(self, run: WorkflowRunModel, options: RequestOptions, terms: SaveTerms) -> Saved:
        """Save the files of a run."""
        ...

    def close(self) -> None:
        """Make no more calls."""
        ...


class AwaitedCalls:
    """Async calls in the event loop of the caller."""

    def __init__(self, core: ComfyDeployCore, service: Service) -> None:
        self._core = core
        self._service = service

    async def send(self, operation: Operation[Any, V], argument: Any, options: RequestOptions) -> Result[V, Error]:
        """Make a call."""
        return await call_async(self._core, operation, argument, options)

    async def steps(self, machine: Machine[V], options: RequestOptions) -> Result[V, Error]:
        """Carry out the steps of a machine."""
        return await run_steps_async(self._core, options, machine)

    async def wait(self, run_id: str, options: RequestOptions) -> WaitResult:
        """Wait until a run has ended."""
        return await wait_async(self._core, self._service.steps, run_id, WaitSettings(options))

    async def save(self, run: WorkflowRunModel, options: RequestOptions, terms: SaveTerms) -> Saved:
        """Save the files of a run."""
        return await save_async(self._core, self._service.run_get, run, options, terms)

    def close(self) -> None:
        """Make no more calls."""


class ThreadedCalls:
    """Blocking calls, each in a thread, for a core with blocking clients, transports and bearer."""

    def __init__(self, core: ComfyDeployCore, service: Service, threads: Threads) -> None:
        self._core = core
        self._service = service
        self._threads = threads

    async def send(self, operation: Operation[Any, V], argument: Any, options: RequestOptions) -> Result[V, Error]:
        """Make a call."""
        made = partial(call, self._core, operation, argument, options)
        result: Result[V, Error] = await self._threads.run(made)
        return result

    async def steps(self, machine: Machine[V], options: RequestOptions) -> Result[V, Error]:
        """Carry out the steps of a machine."""
        result: Result[V, Error] = await self._threads.run(partial(run_steps, self._core, options, machine))
        return result

    async def wait(self, run_id: str, options: RequestOptions) -> WaitResult:
        """Wait until a run has ended."""
        steps: Operations = self._service.steps
        return await self._threads.run(wait, self._core, steps, run_id, WaitSettings(options))

    async def save(self, run: WorkflowRunModel, options: RequestOptions, terms: SaveTerms) -> Saved:
        """Save the files of a run."""
        return await self._threads.run(save, self._core, self._service.run_get, run, options, terms)

    def close(self) -> None:
        """End the threads."""
        self._threads.close()
