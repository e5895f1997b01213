"""The loop of a map, from the first read to its end, in one event loop."""

import time
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import frozen

from comfydeploy._drivers.maps.calls import Calls, Service
from comfydeploy._drivers.maps.feeding import Feeder
from comfydeploy._drivers.maps.in_work import JobsInWork
from comfydeploy._drivers.maps.items import failed_map
from comfydeploy._drivers.maps.outbox import Outbox
from comfydeploy._drivers.maps.threads import Threads
from comfydeploy._drivers.maps.work import Workshop
from comfydeploy._drivers.maps.workers import Submit, Workers
from comfydeploy._drivers.maps.writer import Writer
from comfydeploy._http.connections import running_loop
from comfydeploy._mapping.jobs import checked_jobs
from comfydeploy._mapping.journal import Journal
from comfydeploy._mapping.protocol import LEASE
from comfydeploy._mapping.settings import MapSettings
from comfydeploy.errors import InvalidRequestError
from comfydeploy.mapping import MapItem

if TYPE_CHECKING:
    from asyncio import Task

V = TypeVar("V")

_PATIENCE: Final = 5.0  # seconds for requests in flight when the map is left


@frozen
class Prepared:
    """The parts of an engine.

    ``thread`` is where the journal is opened and used, ``None`` for the loop itself. ``submit`` is where the jobs are
    carried out, ``None`` for the engine itself.
    """

    settings: MapSettings
    service: Service
    calls: Calls
    opened: Callable[[], Journal]
    thread: Threads | None
    submit: Submit | None = None


class Engine:
    """Carries out all jobs and yields their items."""

    def __init__(self, jobs: Any, prepared: Callable[[], Prepared]) -> None:
        self._jobs = jobs
        self._prepared = prepared
        self._outbox = Outbox()
        self._tasks: set[Task[Any]] = set()
        self._given: Prepared | None = None
        self._shop: Workshop | None = None
        self._in_work: JobsInWork | None = None
        self._main: Task[None] | None = None
        self._feeding: Task[None] | None = None
        self._failure: Exception | None = None
        self._is_ending = False

    @property
    def twins(self) -> list[tuple[str, tuple[str, ...]]]:
        """The jobs with more than one run, each with the ids of its runs."""
        return [] if self._shop is None else list(self._shop.twins)

    @property
    def is_spent(self) -> bool:
        """Whether ``max_runs`` is reached."""
        return self._in_work is not None and self._in_work.is_spent

    async def batch(self) -> list[MapItem]:
        """Return the waiting items, at least one unless the map has ended."""
        from asyncio import shield

        if self._main is None and not self._outbox.is_closed:
            try:
                self._main = running_loop().create_task(self._run())
            except InvalidRequestError as error:  # of another event loop than asyncio's
                self._outbox.close()
                return [failed_map(error)]
        items = await self._outbox.take()
        if not items and self._main is not None:
            await shield(self._main)  # which raises only where memory is short
        return items

    def abandon(self) -> None:
        """Close the engine some time, from any thread: for a map that was left without being closed."""
        main = self._main
        if main is not None and not main.done() and not main.get_loop().is_closed():
            main.get_loop().call_soon_threadsafe(self._stop)

    async def close(self) -> None:
        """Create no more runs, and leave those that exist to be resumed."""
        from asyncio import CancelledError, shield

        self._outbox.close()
        main = self._main
        if main is None or main.done():
            return
        self._stop()
        cancelled: CancelledError | None = None
        while not main.done():
            try:
                await shield(main)
            except CancelledError as error:  # of the caller: requests in flight are recorded first, which takes seconds
                cancelled = cancelled or error
        if cancelled is not None and not main.cancelled():
            raise cancelled

    def _stop(self) -> None:
        # Once: a second cancellation would leave the threads and the journal open.
        if self._main is not None and not self._is_ending:
            self._main.cancel()

    async def _run(self) -> None:
        from asyncio import CancelledError

        try:
            await self._work()
        except CancelledError:  # it is closed
            pass
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a function never raises
            self._outbox.add(failed_map(error))
        finally:
            self._is_ending = True
            await self._end()

    async def _work(self) -> None:
        jobs = checked_jobs(self._jobs)
        given = self._given = self._prepared()
        self._outbox.limit(given.settings.at_once)
        writer = await Writer.opened(given.opened, given.thread)
        shop = self._shop = Workshop(given.calls, given.service, given.settings, writer, self._spawn)
        workers = None if given.submit is None else Workers(given.submit, writer.journal.uuid)
        in_work = self._in_work = JobsInWork(shop, self._outbox, workers)
        self._spawn(shop.runs.follow())
        self._spawn(in_work.watch())
        self._spawn(self._renew(writer))
        feeding = self._feeding = self._spawn(Feeder(jobs, shop, self._outbox, in_work).feed())
        while not feeding.done() and self._failure is None:
            await self._outbox.wait()
        error = self._failure or feeding.exception()
        if error is not None:
            raise error

    async def _end(self) -> None:
        """End all tasks; wait for responses in flight and record them."""
        from asyncio import gather

        if self._feeding is not None:
            self._feeding.cancel()
        shop, in_work = self._shop, self._in_work
        if shop is not None and in_work is not None:
            shop.is_stopping = True
            until = monotonic() + _PATIENCE
            while in_work.sending and monotonic() < until:
                await self._outbox.wait(until - monotonic())
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await gather(*tasks, return_exceptions=True)
        if shop is not None:
            shop.writer.journal.leave()
            await shop.writer.flush()
            await shop.writer.call(shop.writer.journal.close)
        if self._given is not None:
            self._given.calls.close()
            if self._given.thread is not None:
                self._given.thread.close()
        self._outbox.close()

    async def _renew(self, writer: Writer) -> None:
        from asyncio import sleep

        while True:
            await sleep(writer.journal.renewal)
            await writer.call(lambda: writer.journal.renew(time.time() + LEASE))

    def _spawn(self, work: Coroutine[Any, Any, V]) -> "Task[V]":
        from asyncio import create_task

        task = create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._note)
        return task

    def _note(self, task: "Task[Any]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._failure = self._failure or error
        self._outbox.notify()
