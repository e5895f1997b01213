"""The workers of an executor of the caller, each of which carries out one step at a time."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import uuid4

from attrs import evolve, frozen

from comfydeploy._drivers.maps.items import item_of
from comfydeploy._mapping.jobs import GivenJob
from comfydeploy._mapping.rows import Row
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error, UnexpectedClientError
from comfydeploy.mapping import MapItem, MapStep
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from asyncio import Future as AsyncFuture
    from concurrent.futures import Executor, Future


@frozen
class StepJob:
    """The job of a step. ``request`` is ``None`` where the journal has it; ``journal`` is the id of the right one.

    ``map`` is an id of the map, all of whose steps in a process use one core.
    """

    key: Any
    request: Any = None
    journal: str | None = None
    map: str = ""


_MOST_CORES: Final = 4
_cores: Final[dict[str, ComfyDeployCore]] = {}

Submit: TypeAlias = Callable[[StepJob], "Future[Result[MapStep, Error]]"]


class Workers:
    """Carries out jobs as steps in the workers of an executor."""

    def __init__(self, submit: Submit, journal: str) -> None:
        self._submit = submit
        self._journal = journal
        self._map = uuid4().hex
        self._is_broken = False

    async def step(self, job: GivenJob, row: Row) -> MapStep:
        """Carry out a step of a job. One that has not begun ends with the map."""
        from asyncio import CancelledError

        try:
            future = self._submit(StepJob(job.key, job.request, self._journal, self._map))
        except Exception as error:
            raise _ended(error) from error
        try:
            await _done(future)
        except CancelledError:
            if not self._is_broken:  # a pool that breaks answers all futures, and hangs if one is cancelled (3.11)
                future.cancel()
            raise
        return self._answer(future, job, row)

    def _answer(self, future: "Future[Result[MapStep, Error]]", job: GivenJob, row: Row) -> MapStep:
        from concurrent.futures import BrokenExecutor, CancelledError

        error = CancelledError("its futures were cancelled") if future.cancelled() else future.exception()
        if isinstance(error, BrokenExecutor | CancelledError):
            self._is_broken = True
            raise _ended(error) from error
        if error is not None:
            lost = f"executor: no result of the job ({_named(error)}). Start the map again with the same journal"
            failed = UnexpectedClientError(f"{lost} to go on", "unknown", run_id=row.run_id)
            failed.__cause__ = error
            return item_of(job, row.run_id, row.attempt, (), Failure(failed))
        result = future.result()
        if not isinstance(result, Success):
            return item_of(job, row.run_id, row.attempt, (), Failure(result.failure()))
        reached = result.unwrap()
        return evolve(reached, index=job.index, request=job.request) if isinstance(reached, MapItem) else reached


async def _done(future: "Future[Any]") -> None:
    """Wait until a future is done, and leave it as it is."""
    from asyncio import get_running_loop

    loop = get_running_loop()
    done: AsyncFuture[None] = loop.create_future()

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    def notify(_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: the map was left meanwhile
            loop.call_soon_threadsafe(settle)

    future.add_done_callback(notify)
    await done


def _ended(error: BaseException) -> UnexpectedClientError:
    again = "Start the map again with a new executor and the same journal: no run is paid twice"
    return UnexpectedClientError(f"executor: it takes no more work ({_named(error)}). {again}", "unknown")


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def shared_core(core: ComfyDeployCore, job: StepJob) -> ComfyDeployCore:
    """Return the copy of the core of a map that all of its steps in this process use, as they share its connections."""
    found = _cores.setdefault(job.map, core)
    for earlier in list(_cores)[:-_MOST_CORES]:
        _cores.pop(earlier, None)
    return found


def checked_executor(executor: Any, journal: Any) -> "Executor | None":
    """Return the executor of a map; raise ``SDKValidationError`` for another object, and without a journal."""
    if executor is None:
        return None
    from concurrent.futures import Executor

    if not isinstance(executor, Executor):
        raise invalid_argument("executor", f"expected a concurrent.futures.Executor, got {type(executor).__name__}")
    if journal is None:
        reach = "expected a journal beside it that all workers reach, such as journal='map.sqlite' on one machine"
        raise invalid_argument("executor", f"{reach}, got journal=None")
    return executor


def start_workers(executor: Any) -> None:
    """Start the workers of a pool that forks: before the map has threads, and before its journal is open.

    A child that is forked while an SQLite file is open believes that it has the locks of its parent.
    Such a pool starts all of its workers with its first call.
    """
    if executor is not None:
        from concurrent.futures import Executor

        if isinstance(executor, Executor):
            with suppress(Exception):  # the map finds it out too, and says so
                executor.submit(int)
