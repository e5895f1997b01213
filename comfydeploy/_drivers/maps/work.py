"""One job in work: the loop that carries out the actions of its protocol."""

import time
from functools import partial
from math import inf
from random import random
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from comfydeploy._drivers.maps.calls import Calls, Service
from comfydeploy._drivers.maps.files import JobTerms
from comfydeploy._drivers.maps.items import item_of
from comfydeploy._drivers.maps.places import Places, Spawn
from comfydeploy._drivers.maps.runs import Runs
from comfydeploy._drivers.maps.writer import Writer
from comfydeploy._drivers.run_life import traced
from comfydeploy._mapping.actions import Fetch, Follow, Leave, Look, Pause, Post, Prepare, Turn
from comfydeploy._mapping.jobs import GivenJob
from comfydeploy._mapping.markers import Markers
from comfydeploy._mapping.protocol import Position, begin
from comfydeploy._mapping.rows import Claim, Reopen, Row
from comfydeploy._mapping.schedule import Pacing, Slots
from comfydeploy._mapping.settings import MapSettings
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.input_files import with_uploads
from comfydeploy._wire.keys import with_key
from comfydeploy._wire.settings import within
from comfydeploy.errors import Error, RequestTimeoutError
from comfydeploy.inputs import inputs_check
from comfydeploy.mapping import JobHeld, MapStep, MaxRunsReached
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from collections.abc import Callable

_UNKNOWN: Final = "the journal keeps neither files nor the query strings of addresses: pass the request of the job"


class Workshop:
    """The common part of the jobs of a map."""

    def __init__(self, calls: Calls, service: Service, settings: MapSettings, writer: Writer, spawn: Spawn) -> None:
        self.calls = calls
        self.service = service
        self.settings = settings
        self.writer = writer
        self.spawn = spawn
        self.markers = Markers(writer.journal.name, writer.journal.uuid)
        self.places = Places(calls, service, settings.options, self.markers, spawn)
        self.runs = Runs(calls, service, self.places, settings.options)
        self.slots = Slots(settings.at_once)
        self.pacing = Pacing()
        self.twins: list[tuple[str, tuple[str, ...]]] = []
        self.is_stopping = False

    async def turn(self) -> bool:
        """Wait for the turn to send a request for a run."""
        from asyncio import sleep

        while not self.is_stopping and (seconds := self.pacing.turn(monotonic())) > 0:  # noqa: ASYNC110 - for a time
            await sleep(seconds)
        return not self.is_stopping

    async def checked(self, job: GivenJob) -> Result[None, Error]:
        """Check the inputs of a job against its deployment."""
        deployment_id = job.place.deployment_id
        if not self.settings.check or deployment_id is None or not job.is_whole:
            return Success(None)
        deployment = await self.places.deployment(deployment_id)
        if not isinstance(deployment, Success):
            return deployment
        checked = inputs_check(deployment.unwrap(), job.inputs)
        return Success(None) if isinstance(checked, Success) else Failure(checked.failure())


class Work:
    """One claimed job."""

    def __init__(self, shop: Workshop, job: GivenJob, row: Row) -> None:
        self._shop = shop
        self._job = job
        self._is_resumed = row.state in ("created", "ended")
        self._wire: dict[str, Any] = {}
        self._twins: tuple[str, ...] = ()

    async def run(self, claim: Claim | Reopen, has_moved: "Callable[[Position], None]") -> MapStep:
        """Claim the row and bring the job to its end, in a span."""
        with traced("comfydeploy.job") as work:
            position = await self._left(claim, has_moved)
            work.end(None if position is None else position.result)
        if position is None:
            return JobHeld(self._job.key)
        if position.result is None:  # there was no turn for it
            return MaxRunsReached(self._job.key)
        reached = position.row
        item = item_of(self._job, reached.run_id, reached.attempt, position.saved, position.result)
        return evolve(item, twins=self._twins)

    async def _left(self, claim: Claim | Reopen, has_moved: "Callable[[Position], None]") -> Position | None:
        row = await self._shop.writer.do(claim)
        if row is None:
            return None
        deadline, now = self._shop.settings.deadline, monotonic()
        terms = evolve(self._shop.settings.terms, longest_post=self._shop.writer.journal.longest_post)
        position = begin(row, terms, now, inf if deadline is None else now + deadline)
        while True:
            has_moved(position)
            if isinstance(position.action, Leave):
                return None if position.action.is_lost else position
            answer = await self._done(position)
            since = await self._since(position)
            position = position.next(answer, monotonic(), random(), time.time(), since)  # noqa: S311 - jitter

    async def _since(self, position: Position) -> str | None:
        if not isinstance(position.action, Turn):
            return None
        workflow = await self._shop.places.workflow(self._job.place)
        return self._shop.places.since(workflow.unwrap()) if isinstance(workflow, Success) else None

    async def _done(self, position: Position) -> Any:  # noqa: PLR0911 - one for each action
        """Carry out an action and return its answer."""
        from asyncio import sleep

        shop, action = self._shop, position.action
        match action:
            case Prepare():
                return await self._prepared(position)
            case Turn():
                return await shop.turn()
            case Post(until):
                return await self._posted(until)
            case Look():
                return await self._looked(position)
            case Pause(seconds, _):
                return await sleep(seconds)
            case Follow(run_id):
                result = await shop.runs.end(run_id, self._job.place, position.deadline)
                if isinstance(result, Success):
                    shop.places.shown(result.unwrap())
                return result
            case Fetch(run):
                pattern = shop.settings.pattern
                assert pattern is not None  # noqa: S101 - only then files are fetched
                row, job = position.row, self._job
                terms = JobTerms(pattern, job.key, job.inputs, row.attempt, row.owner or "", self._is_resumed)
                return await shop.calls.save(run, self._options(position), terms)
            case _:
                step: Any = action
                return await shop.writer.do(step)

    def _options(self, position: Position) -> Any:
        left = position.deadline - monotonic()
        return evolve(self._shop.settings.options, deadline=None if left == inf else max(left, 0.001))

    async def _prepared(self, position: Position) -> Result[None, Error]:
        shop, job = self._shop, self._job
        if not job.is_whole:
            return Failure(invalid_argument("request", _UNKNOWN))
        workflow = await shop.places.workflow(job.place)
        if not isinstance(workflow, Success):
            return Failure(workflow.failure())
        marker = shop.markers.of(job.key, position.row.attempt)
        wire: dict[str, Any] = with_key(dict(job.wire), marker)
        machine = partial(with_uploads, operation=shop.service.sending.upload, wire=wire)
        uploaded = await shop.calls.steps(machine, self._options(position))
        if not isinstance(uploaded, Success):
            return Failure(uploaded.failure())
        self._wire = uploaded.unwrap()
        return Success(None)

    async def _posted(self, until: float) -> Result[str, Error]:
        shop, began = self._shop, monotonic()
        if began >= until:
            return Failure(RequestTimeoutError("The time for the request passed before it was sent", "not_sent"))
        options = within(shop.settings.options, until - began)
        result = await shop.calls.send(shop.service.sending.queue, self._wire, options)
        error = None if isinstance(result, Success) else result.failure()
        shop.pacing.sent(error, began, monotonic(), random())  # noqa: S311 - jitter
        return Success(result.unwrap().run_id) if isinstance(result, Success) else Failure(result.failure())

    async def _looked(self, position: Position) -> Any:
        shop, row = self._shop, position.row
        workflow = await shop.places.workflow(self._job.place)
        if not isinstance(workflow, Success):
            return workflow
        result = await shop.places.look(workflow.unwrap(), shop.markers.of(row.key, row.attempt), row.since)
        if isinstance(result, Success) and len(result.unwrap().run_ids) > 1:
            self._twins = result.unwrap().run_ids
        return result
