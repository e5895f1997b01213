"""The loop of a map: it reads jobs, begins them as there is room, and hands their items over."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from comfydeploy._drivers.maps.calls import Calls, Service
from comfydeploy._drivers.maps.items import failed_map, item_of, stored_item
from comfydeploy._drivers.maps.places import Markers
from comfydeploy._drivers.maps.threads import Threads
from comfydeploy._drivers.maps.work import Work, Workshop
from comfydeploy._drivers.maps.writer import Writer
from comfydeploy._mapping.jobs import Duplicates, GivenJob, conflict_error, given_job, is_sequence
from comfydeploy._mapping.journal import Conflict, Journal
from comfydeploy._mapping.protocol import LEASE, Look, Pause, Position, Post, is_free
from comfydeploy._mapping.rows import Claim, Record, Reopen, Row, Try
from comfydeploy._mapping.settings import MapSettings
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy.mapping import MapItem
from comfydeploy.result import Failure, Success

if TYPE_CHECKING:
    from asyncio import Event, Task

_CHUNK: Final = 500
_MOMENT: Final = 0.005  # seconds in which jobs of an iterator are read ahead
_LEAST_WAITING: Final = 100  # items
_LOOK: Final = 1.0  # seconds between two looks at the jobs of other processes
_RENEW: Final = LEASE / 4
_PATIENCE: Final = 5.0  # seconds for requests that are on their way when the map is left


@frozen
class Prepared:
    """What an engine works with. ``thread`` is where the journal is opened and used, ``None`` for the loop itself."""

    settings: MapSettings
    service: Service
    calls: Calls
    opened: Callable[[], Journal]
    thread: Threads | None


class Engine:
    """Brings all jobs to their ends, in one event loop."""

    def __init__(self, jobs: Any, prepared: Callable[[], Prepared]) -> None:
        self._jobs = jobs
        self._prepared = prepared
        self._items: deque[MapItem] = deque()
        self._most = _LEAST_WAITING
        self._tasks: set[Task[Any]] = set()
        self._held: dict[int, GivenJob] = {}
        self._count = 0
        self._is_over = False
        self._was_new = False
        self._given: Prepared | None = None
        self._shop: Workshop | None = None
        self._changed: Event | None = None
        self._main: Task[None] | None = None
        self._feeding: Task[None] | None = None

    @property
    def twins(self) -> list[tuple[str, tuple[str, ...]]]:
        """The jobs of which more than one run was seen, each with the ids of its runs."""
        return [] if self._shop is None else list(self._shop.twins)

    async def batch(self) -> list[MapItem]:
        """Return the items that wait, at least one unless the map is over."""
        from asyncio import Event, create_task

        if self._main is None and not self._is_over:
            self._changed = Event()
            self._main = create_task(self._run())
        while not self._items and not self._is_over:
            await self._wait()
        batch = list(self._items)
        self._items.clear()
        self._notify()
        return batch

    async def close(self) -> None:
        """Create no more runs, and leave those that exist to be resumed."""
        from asyncio import CancelledError, shield

        self._is_over = True
        self._notify()
        main, self._main = self._main, None
        if main is None or main.done():
            return
        main.cancel()
        while not main.done():
            try:
                await shield(main)
            except CancelledError:  # of the caller, once more: what is sent is noted first, which takes seconds
                continue

    async def _run(self) -> None:
        from asyncio import CancelledError

        try:
            await self._worked()
        except CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - a function never raises
            self._items.append(failed_map(error))
        finally:
            await self._ended()

    async def _worked(self) -> None:
        if not isinstance(self._jobs, Iterable) or isinstance(self._jobs, str | bytes | Mapping):
            raise invalid_argument("jobs", f"expected several requests, got {type(self._jobs).__name__}")
        given = self._given = self._prepared()
        self._most = max(given.settings.at_once, _LEAST_WAITING)
        journal = given.opened() if given.thread is None else await given.thread.run(given.opened)
        writer = Writer(journal, given.thread)
        markers = Markers(journal.name, journal.uuid)
        shop = self._shop = Workshop(given.calls, given.service, given.settings, writer, markers)
        self._spawn(shop.runs.follow())
        self._spawn(self._renew(writer))
        self._feeding = self._spawn(self._fed(shop))
        while not (self._feeding.done() and not self._count and not self._held):
            await self._wait()
            for task in [one for one in self._tasks if one.done()]:
                self._tasks.discard(task)
                task.result()

    async def _ended(self) -> None:
        """End all tasks; the responses on their way are waited for, so that they are recorded."""
        from asyncio import gather

        shop = self._shop
        if self._feeding is not None:
            self._feeding.cancel()
        if shop is not None:
            shop.is_stopping = True
            until = monotonic() + _PATIENCE
            while shop.sending and monotonic() < until:
                await self._wait(until - monotonic())
        for task in self._tasks:
            task.cancel()
        await gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if shop is not None:
            await shop.writer.flush()
            await shop.writer.call(shop.writer.journal.close)
        if self._given is not None:
            self._given.calls.close()
            if self._given.thread is not None:
                self._given.thread.close()
        self._is_over = True
        self._notify()

    async def _fed(self, shop: Workshop) -> None:
        """Read the jobs and begin them."""
        seen: Duplicates | None = None
        if is_sequence(self._jobs):
            seen = Duplicates()
            for index, given in enumerate(self._jobs):
                await self._emit_problem(shop, given_job(index, given, shop.settings.pattern), seen)
            seen = Duplicates()
        for chunk in self._chunks(shop):
            await self._begun(shop, chunk, seen)
            if shop.is_spent and self._was_new:
                return
        await self._rest(shop)

    async def _emit_problem(self, shop: Workshop, job: GivenJob, seen: Duplicates) -> None:
        problem: Any = seen.problem(job)
        if problem is None:
            checked = await shop.checked(job)
            problem = None if isinstance(checked, Success) else checked.failure()
        if problem is not None:
            await self._emit(item_of(job, None, 1, (), Failure(problem)))

    def _chunks(self, shop: Workshop) -> Iterator[list[GivenJob]]:
        """Yield jobs in groups: large ones where they are there at once."""
        jobs = iter(self._jobs)
        index = 0
        while True:
            chunk: list[GivenJob] = []
            until = monotonic() + _MOMENT
            for given in jobs:
                chunk.append(given_job(index, given, shop.settings.pattern))
                index += 1
                if len(chunk) >= _CHUNK or monotonic() >= until:
                    break
            if not chunk:
                return
            yield chunk

    async def _begun(self, shop: Workshop, chunk: list[GivenJob], seen: Duplicates | None) -> None:
        """Begin the jobs of a chunk, or yield what they have ended with."""
        good: list[GivenJob] = []
        for job in chunk:
            problem = job.problem if seen is None else seen.problem(job)
            if problem is None:
                good.append(job)
            elif seen is None:
                await self._emit(item_of(job, None, 1, (), Failure(problem)))
        rows = await shop.writer.add([job.entry for job in good if job.entry is not None])
        self._was_new = all(isinstance(row, Row) and row.state == "new" for row in rows)
        for job, row in zip(good, rows, strict=True):
            if isinstance(row, Conflict):
                await self._emit(item_of(job, None, 1, (), Failure(conflict_error(row.reason, job))))
            elif not (shop.is_spent and row.state == "new"):
                await self._begin(shop, job, row)

    async def _begin(self, shop: Workshop, job: GivenJob, row: Row) -> None:
        """Begin a job, or yield what it has ended with, or leave it to the process that has it."""
        owner, lease = f"{shop.writer.journal.session}{row.id}-{monotonic():.6f}", time.time() + LEASE
        claim: Claim | Reopen | None
        if row.state == "done":
            claim = self._reopening(shop, row, owner, lease)
            if claim is None:
                await self._emit(stored_item(job, row))
                shop.writer.journal.drop(row.id)
                return
        elif not is_free(row, is_alive=self._is_alive(shop, row), wall=time.time()):
            self._held[row.id] = job
            return
        else:
            claim = Claim(row.id, owner, lease, row.owner, row.lease)
        while not (shop.slots.has_room and len(self._items) < self._most):
            await self._wait()
        shop.slots.put(row.id)
        self._count += 1
        self._spawn(self._work(shop, job, row, claim))

    def _is_alive(self, shop: Workshop, row: Row) -> bool | None:
        return None if row.owner is None else shop.writer.journal.is_alive(row.owner)

    def _reopening(self, shop: Workshop, row: Row, owner: str, lease: float) -> Reopen | None:
        """Return the step for a job that is done, but not as far as this map goes."""
        terms = shop.settings.terms
        if row.error is None:
            return Reopen(row.id, owner, lease, "ended", row.attempt) if terms.saves and row.files is None else None
        is_failed = '"RunFailed"' in str(row.error)[:40]
        if is_failed and row.attempt < terms.attempts:
            return Reopen(row.id, owner, lease, "trying", row.attempt + 1)
        return None

    async def _work(self, shop: Workshop, job: GivenJob, row: Row, claim: Claim | Reopen) -> None:
        def moved(position: Position) -> None:
            action = position.action
            waits = isinstance(action, Look) or (isinstance(action, Pause) and isinstance(action.then, Look))
            shop.slots.put(row.id, is_doubtful=waits)
            is_sending = isinstance(action, Try | Post | Record)
            (shop.sending.add if is_sending else shop.sending.discard)(row.id)
            self._notify()

        work = Work(shop, job, row)
        try:
            left = await work.run(claim, moved)
            position = work.position
            if left.is_lost:
                self._held[row.id] = job
            elif left.result is not None and position is not None:
                item = item_of(job, position.row.run_id, position.row.attempt, position.saved, left.result)
                await self._emit(item)
                shop.writer.journal.drop(row.id)
            elif not shop.is_stopping:
                shop.is_spent = True
        finally:
            shop.slots.remove(row.id)
            shop.sending.discard(row.id)
            self._count -= 1
            self._notify()

    async def _rest(self, shop: Workshop) -> None:
        """Wait for the jobs of other processes, and take over those of dead ones."""
        from asyncio import sleep

        while self._count or self._held:
            if not self._held:
                await self._wait()
                continue
            await sleep(_LOOK)
            rows = await shop.writer.call(lambda: shop.writer.journal.rows(list(self._held)))
            for row in rows:
                job = self._held.pop(row.id)
                await self._begin(shop, job, row)

    async def _renew(self, writer: Writer) -> None:
        from asyncio import sleep

        while True:
            await sleep(_RENEW)
            await writer.call(lambda: writer.journal.renew(time.time() + LEASE))

    async def _emit(self, item: MapItem) -> None:
        while len(self._items) >= self._most and not self._is_over:
            await self._wait()
        self._items.append(item)
        self._notify()

    def _spawn(self, work: Any) -> "Task[Any]":
        from asyncio import create_task

        task: Task[Any] = create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._notify())
        return task

    async def _wait(self, seconds: float | None = None) -> None:
        """Wait until something has changed."""
        from asyncio import timeout

        changed = self._changed
        assert changed is not None  # noqa: S101 - it is made before all tasks
        try:
            async with timeout(seconds):
                await changed.wait()
        except TimeoutError:
            return

    def _notify(self) -> None:
        """Wake all who wait; what they wait for may have changed."""
        changed = self._changed
        if changed is not None:
            changed.set()
            changed.clear()
