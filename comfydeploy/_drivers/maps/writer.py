"""Writing the journal of a loop: the steps of many jobs share one transaction."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from comfydeploy._drivers.maps.threads import Threads
from comfydeploy._mapping.journal import Journal
from comfydeploy._mapping.rows import Step

if TYPE_CHECKING:
    from asyncio import Future, Task

R = TypeVar("R")


class Writer:
    """Carries out the steps of jobs, all waiting ones in one commit.

    It does so in ``thread`` where the loop is that of the caller and the journal is a file: a durable commit takes a
    millisecond or more.
    """

    def __init__(self, journal: Journal, thread: Threads | None) -> None:
        self.journal = journal
        self._thread = thread
        self._waiting: list[tuple[Step, Future[Any]]] = []
        self._writing: Task[None] | None = None

    @classmethod
    async def opened(cls, opened: Callable[[], Journal], thread: Threads | None) -> Self:
        """Open the journal; close it again where the map is left meanwhile."""
        from asyncio import CancelledError, create_task, shield

        if thread is None:
            return cls(opened(), None)
        opening = create_task(thread.run(opened))
        try:
            return cls(await shield(opening), thread)
        except CancelledError:
            journal = await opening
            await thread.run(journal.close)
            raise

    async def do(self, step: Step) -> Any:
        """Carry out a step and return its answer."""
        from asyncio import create_task, get_running_loop

        future: Future[Any] = get_running_loop().create_future()
        self._waiting.append((step, future))
        if self._writing is None:
            self._writing = create_task(self._write())
        return await future

    async def call(self, work: Callable[[], R]) -> R:
        """Call a function that uses the journal."""
        return work() if self._thread is None else await self._thread.run(work)

    async def flush(self) -> None:
        """Wait until all steps are carried out."""
        while self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        from asyncio import sleep

        await sleep(0)  # so that jobs that are due at the same moment share a commit
        while self._waiting:
            batch, self._waiting = self._waiting, []
            steps = [step for step, _ in batch]
            try:
                answers = await self.call(partial(self.journal.carry_out, steps))
            except Exception as error:  # noqa: BLE001 - each job that waits has to end
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        self._writing = None
