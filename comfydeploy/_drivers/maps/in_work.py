"""The jobs in work, each in its own task, and the jobs of other processes."""

import time
from functools import partial
from time import monotonic
from typing import Final

from comfydeploy._drivers.maps.items import stored_item
from comfydeploy._drivers.maps.outbox import Outbox
from comfydeploy._drivers.maps.work import Work, Workshop
from comfydeploy._drivers.maps.workers import Workers
from comfydeploy._mapping.actions import Look, Pause, Post
from comfydeploy._mapping.jobs import GivenJob
from comfydeploy._mapping.protocol import LEASE, Position, is_free, reopening
from comfydeploy._mapping.rows import Claim, Record, Reopen, Row, Try
from comfydeploy._mapping.stored import error_of
from comfydeploy.mapping import JobHeld, MaxRunsReached

_MOST_HELD: Final = 10_000
_LOOK: Final = 1.0  # seconds between two checks of the jobs of other processes


class JobsInWork:
    """Begins jobs, here or in the workers of an executor, and yields their items."""

    def __init__(self, shop: Workshop, outbox: Outbox, workers: Workers | None) -> None:
        self._shop = shop
        self._outbox = outbox
        self._workers = workers
        self._begun = 0
        self._held: dict[int, GivenJob] = {}
        self.sending: set[int] = set()
        """The jobs whose request is on its way, or is not recorded yet."""
        self.is_spent = False
        """Whether ``max_runs`` is reached."""

    @property
    def has_room(self) -> bool:
        """Whether another job may be begun, as far as those of other processes go."""
        return len(self._held) < _MOST_HELD

    @property
    def is_empty(self) -> bool:
        """Whether no job is in work in any process."""
        return not self._begun and not self._held

    async def begin(self, job: GivenJob, row: Row) -> None:
        """Begin a job when there is room, or yield its item if it has ended, or leave it to its process."""
        journal = self._shop.writer.journal
        owner, lease = f"{journal.session}{row.id}-{monotonic():.6f}", time.time() + LEASE
        claim: Claim | Reopen | None
        if row.state == "done":
            claim = self.reopened(row, owner, lease)
            if claim is None:
                await self._outbox.put(stored_item(job, row))
                return
        elif self.is_spent and row.state == "new":
            return
        elif is_free(row, is_alive=None if row.owner is None else journal.is_alive(row.owner), wall=time.time()):
            claim = Claim(row.id, owner, lease, row.owner, row.lease)
        else:
            self._hold(row, job)
            return
        while not (self._shop.slots.has_room and self._outbox.has_room):
            await self._outbox.wait()
        self._shop.slots.put(row.id)
        self._begun += 1
        self._shop.spawn(self._work(job, row, claim))

    def reopened(self, row: Row, owner: str = "", lease: float = 0.0) -> Reopen | None:
        """Return the step that reopens a job that is done, but for which this map has more to do."""
        return reopening(row, error_of(row.error, None), self._shop.settings.terms, owner, lease)

    async def watch(self) -> None:
        """Look at the jobs of other processes as long as the map lasts, and take over those of dead ones."""
        from asyncio import sleep

        while True:
            await sleep(_LOOK)
            if self._held:
                for row in await self._shop.writer.call(partial(self._shop.writer.journal.rows, list(self._held))):
                    await self.begin(self._held.pop(row.id), row)
                self._outbox.notify()

    async def _work(self, job: GivenJob, row: Row, claim: Claim | Reopen) -> None:
        try:
            if self._workers is None:
                step = await Work(self._shop, job, row).run(claim, lambda position: self._moved(row.id, position))
            else:
                step = await self._workers.step(job, row)
            match step:
                case JobHeld():
                    self._hold(row, job)
                case MaxRunsReached():
                    self.is_spent = True
                case _:
                    if step.twins:
                        self._shop.twins.append((step.key, step.twins))
                    await self._outbox.put(step)
                    self._shop.writer.journal.drop(row.id)
        finally:
            self._shop.slots.remove(row.id)
            self.sending.discard(row.id)
            self._begun -= 1
            self._outbox.notify()

    def _hold(self, row: Row, job: GivenJob) -> None:
        """Wait for the owner of a job; a step of one job ends instead."""
        if not self._shop.settings.is_step:
            self._held[row.id] = job

    def _moved(self, job: int, position: Position) -> None:
        action = position.action
        waits = isinstance(action, Look) or (isinstance(action, Pause) and isinstance(action.then, Look))
        self._shop.slots.put(job, is_doubtful=waits)
        if isinstance(action, Try | Post | Record):
            self.sending.add(job)
        else:
            self.sending.discard(job)
        self._outbox.notify()
