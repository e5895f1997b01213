"""The waits for runs: they are followed together by lists, and read one by one when they seem to have ended."""

from collections.abc import Mapping
from functools import partial
from math import inf
from random import random
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from comfydeploy._drivers.maps.calls import Calls, Service
from comfydeploy._drivers.waiting import WaitResult
from comfydeploy._mapping.following import Following
from comfydeploy._mapping.requests import FindWorkflow, ListRows, ReadRun, Request
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.run_search import PATIENCE, Place, RunSearch
from comfydeploy._wire.settings import within
from comfydeploy._wire.steps import Sleep
from comfydeploy._wire.timeline import Actions, Timeline
from comfydeploy.errors import Error
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

if TYPE_CHECKING:
    from asyncio import Event, Future

_RESERVE: Final = 1.0  # seconds before a deadline at which a run is read by itself
_LEAST: Final = 0.001


class Runs:
    """Waits for the end of runs."""

    def __init__(self, calls: Calls, service: Service, options: RequestOptions) -> None:
        self._calls = calls
        self._service = service
        self._options = options
        self._following = Following(monotonic())
        self._seen: dict[str, Future[None]] = {}
        self._changed: Event | None = None

    async def end(self, run_id: str, workflow_id: str | None, deployment_id: str | None, deadline: float) -> WaitResult:
        """Return the end of a run, as ``run_wait`` does."""
        from asyncio import get_running_loop, wait

        if workflow_id is not None:
            seen: Future[None] = get_running_loop().create_future()
            self._seen[run_id] = seen
            place = Place(workflow_id=workflow_id, deployment_id=deployment_id)
            self._following.add(run_id, place, monotonic())
            self._notify()
            left = None if deadline == inf else max(deadline - _RESERVE - monotonic(), 0.0)
            try:
                await wait([seen], timeout=left)
            finally:
                self._following.drop(run_id)
                self._seen.pop(run_id, None)
        rest = None if deadline == inf else max(deadline - monotonic(), _LEAST)
        return await self._calls.wait(run_id, evolve(self._options, deadline=rest))

    async def follow(self) -> None:
        """Follow the runs as long as the map lasts."""
        from asyncio import Event, timeout

        changed = self._changed = Event()
        while True:
            changed.clear()
            action = self._following.next(monotonic())
            if action is None or isinstance(action, Sleep):
                try:
                    async with timeout(None if action is None else action.seconds):
                        await changed.wait()
                except TimeoutError:
                    pass
                continue
            result = await self._read(action)
            for run_id in self._following.feed(result, monotonic(), random()):  # noqa: S311 - jitter
                seen = self._seen.get(run_id)
                if seen is not None and not seen.done():
                    seen.set_result(None)

    async def _read(self, action: Request) -> Result[Any, Error]:
        match action:
            case ReadRun(_, seconds):
                operation: Operation[Mapping[str, Any], Any] = self._service.run_get
                return await self._calls.send(operation, action.arguments(), within(self._options, seconds))
            case ListRows():
                options = within(self._options, action.seconds)
                return await self._calls.send(self._service.small_rows, action.arguments(), options)
            case FindWorkflow(place):
                return await self._calls.steps(partial(_finding, self._service, place), self._options)

    def _notify(self) -> None:
        if self._changed is not None:
            self._changed.set()


def _finding(service: Service, place: Place, timeline: Timeline) -> Actions[Result[str, Error]]:
    return RunSearch(timeline, service.lists, (), {}).workflow(place, PATIENCE)
