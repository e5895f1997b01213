"""The workflows of jobs, and the searches for runs in doubt: one search for all of a workflow."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from comfydeploy._drivers.maps.calls import Calls, Service
from comfydeploy._mapping.actions import Sighting
from comfydeploy._mapping.markers import Markers
from comfydeploy._wire.keys import key_of
from comfydeploy._wire.run_search import PATIENCE, UNKNOWN_DEPLOYMENT, RunSearch, SearchScope
from comfydeploy._wire.timeline import Actions, Timeline
from comfydeploy.errors import Error
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.found_runs import FoundRuns
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from asyncio import Future, Task

K = TypeVar("K")
V = TypeVar("V")

_MARGIN: Final = timedelta(minutes=2)  # by which the times of two rows of the server may differ
_READING: Final = 10.0
_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Spawn(Protocol):
    """Starts a task, which ends with the map."""

    def __call__(self, work: Coroutine[Any, Any, V], /) -> "Task[V]":
        """Start the task."""
        ...


class Places:
    """The workflows of jobs, each with its newest known time of the server."""

    def __init__(
        self, calls: Calls, service: Service, options: RequestOptions, markers: Markers, spawn: "Spawn"
    ) -> None:
        self._spawn = spawn
        self._calls = calls
        self._service = service
        self._options = options
        self._markers = markers
        self._workflows: dict[SearchScope, Task[Result[str, Error]]] = {}
        self._deployments: dict[str, Task[Result[DeploymentModel, Error]]] = {}
        self._unread: dict[str, float] = {}  # the deployments that were not read yet, and how long reads are repeated
        self._newest: dict[str, datetime] = {}
        self._looks: dict[str, list[tuple[str, datetime, Future[Result[Sighting, Error]]]]] = {}

    async def workflow(self, place: SearchScope) -> Result[str, Error]:
        """Return the id of the workflow of a place; it is read once."""
        return await self._once(
            self._workflows, place, lambda: self._calls.steps(partial(self._finding, place), self._options)
        )

    async def deployment(self, deployment_id: str) -> Result[DeploymentModel, Error]:
        """Return a deployment; it is read once."""
        return await self._once(
            self._deployments,
            deployment_id,
            lambda: self._calls.steps(partial(self._reading, deployment_id), self._options),
        )

    def since(self, workflow_id: str) -> str:
        """Return a time of the server before which no later run can be."""
        return self._newest.get(workflow_id, _ALL).isoformat()

    def shown(self, run: WorkflowRunModel | WorkflowRunRow) -> None:
        """Record the time of a run."""
        if run.workflow_id is not None and run.created_at is not None:
            self._newest[run.workflow_id] = max(run.created_at, self._newest.get(run.workflow_id, _ALL))

    async def look(self, workflow_id: str, marker: str, since: str | None) -> Result[Sighting, Error]:
        """Search for the runs of a marker in a listing that begins now or later."""
        from asyncio import get_running_loop

        future: Future[Result[Sighting, Error]] = get_running_loop().create_future()
        started = _ALL if since is None else datetime.fromisoformat(since)
        waiting = self._looks.setdefault(workflow_id, [])
        waiting.append((marker, started, future))
        if len(waiting) == 1:
            self._spawn(self._look(workflow_id))
        return await future

    async def _look(self, workflow_id: str) -> None:
        from asyncio import sleep

        await sleep(0)  # so that all jobs that are due share the search
        waiting = self._looks.pop(workflow_id)
        since = min(started for _, started, _ in waiting)
        machine = partial(self._searching, workflow_id, since if since == _ALL else since - _MARGIN)
        result = await self._calls.steps(machine, self._options)
        rows: list[WorkflowRunRow] = result.unwrap().runs if isinstance(result, Success) else []
        for marker, _, future in waiting:
            ids = tuple(row.id for row in rows if key_of(row.workflow_inputs) == marker)
            sighting = Success(Sighting(ids, bool(rows))) if isinstance(result, Success) else Failure(result.failure())
            future.set_result(sighting)

    async def _once(
        self,
        known: "dict[K, Task[Result[V, Error]]]",
        name: K,
        read: Callable[[], Coroutine[Any, Any, Result[V, Error]]],
    ) -> Result[V, Error]:
        """Return the result of a read that is made once for a name, and again after a failure."""
        from asyncio import shield

        if name not in known:
            known[name] = self._spawn(read())
        task = known[name]
        result = await shield(task)
        if not isinstance(result, Success):
            known.pop(name, None)
        return result

    def _searching(self, workflow_id: str, since: datetime, timeline: Timeline) -> Actions[Result[FoundRuns, Error]]:
        search = RunSearch(timeline, self._service.lists, self._markers, {})
        return (yield from search.runs(workflow_id, since, PATIENCE))

    def _reading(self, deployment_id: str, timeline: Timeline) -> Actions[Result[DeploymentModel, Error]]:
        """Read a deployment. A read that fails is repeated for some seconds, which all jobs share."""
        patience = max(self._unread.setdefault(deployment_id, timeline.now + _READING) - timeline.now, 0.0)
        arguments = {"deployment_id": deployment_id}
        found = yield from timeline.read(
            self._service.lists.deployment, arguments, patience, final={UNKNOWN_DEPLOYMENT}
        )
        if isinstance(found, Success):
            self._unread.pop(deployment_id, None)
        return found

    def _finding(self, place: SearchScope, timeline: Timeline) -> Actions[Result[str, Error]]:
        """Find the workflow of a place, and the newest run of its list, at which later searches end."""
        search = RunSearch(timeline, self._service.lists, (), {})
        found = yield from search.workflow(place, PATIENCE)
        if not isinstance(found, Success) or found.unwrap() in self._newest:
            return found
        page = {"workflow_id": found.unwrap(), "limit": 1, "offset": 0, "with_outputs": False, "with_inputs": False}
        newest = yield from timeline.read(self._service.lists.rows, page, PATIENCE)
        if not isinstance(newest, Success):
            return newest
        for row in newest.unwrap():
            if row.created_at is not None:
                self._newest[found.unwrap()] = row.created_at
        return found
