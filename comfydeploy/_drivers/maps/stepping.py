"""One step of a map: one job of a journal, brought as far as it can be now."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from attrs import evolve

from comfydeploy._drivers.maps.calls import Service
from comfydeploy._drivers.maps.engine import Engine, Prepared
from comfydeploy._drivers.maps.iterators import AsyncRunMap, RunMap
from comfydeploy._drivers.maps.making import prepared, prepared_async
from comfydeploy._drivers.maps.workers import StepJob
from comfydeploy._mapping.addresses import is_address, shown_journal
from comfydeploy._mapping.jobs import GivenJob, check_job_key, stored_job
from comfydeploy._mapping.journal import StoredJournal
from comfydeploy._mapping.opening import open_stored
from comfydeploy._mapping.settings import Arguments, MapSettings
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.transport_errors import request_error
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.mapping import Job, JobHeld, MapItem, MapStep, MaxRunsReached
from comfydeploy.result import Failure, Result, Success


def step(core: ComfyDeployCore, service: Service, arguments: Arguments, job: StepJob) -> Result[MapStep, Error]:
    """Bring a job as far as it can be now, with blocking calls."""
    engine = _engine(job, partial(prepared, core, service, arguments))
    try:
        with RunMap(engine) as items:
            return _reached(job, engine, next(items, None))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return Failure(request_error(error, "unknown", closed=False))


async def step_async(
    core: ComfyDeployCore, service: Service, arguments: Arguments, job: StepJob
) -> Result[MapStep, Error]:
    """Bring a job as far as it can be now, with async calls."""
    engine = _engine(job, partial(prepared_async, core, service, arguments))
    try:
        async with AsyncRunMap(engine) as items:
            return _reached(job, engine, await anext(items, None))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return Failure(request_error(error, "unknown", closed=False))


def _engine(job: StepJob, given: Callable[[], Prepared]) -> Engine:
    """Return a map of one job, which ends where another owner has it."""
    jobs = _Jobs(job)
    return Engine(jobs, lambda: jobs.prepared(given()))


def _reached(job: StepJob, engine: Engine, item: MapItem | None) -> Result[MapStep, Error]:
    if item is None:
        return Success(MaxRunsReached(job.key) if engine.is_spent else JobHeld(job.key))
    if item.index < 0 and not isinstance(item.result, Success):
        error: Any = item.result.failure()
        return Failure(error)
    return Success(item)


class _Jobs:
    """The only job of a step, as jobs that are read after the journal was opened, which may have the request."""

    def __init__(self, job: StepJob) -> None:
        self._job = job
        self._read: list[Job | GivenJob] = []

    def __iter__(self) -> Iterator[Job | GivenJob]:
        return iter(self._read)

    def prepared(self, given: Prepared) -> Prepared:
        """Return the parts of the engine of a step."""
        settings = evolve(given.settings, is_step=True)
        if settings.journal is None:
            raise invalid_argument("journal", "expected the path of a file or the address of a database, got NoneType")
        check_job_key(self._job.key)
        return evolve(given, settings=settings, opened=partial(self._opened, settings.journal, settings))

    def _opened(self, path: str, settings: MapSettings) -> StoredJournal:
        """Open the journal and read the job. One that must have the job, or must be that of a map, is not created."""
        is_created = self._job.request is not None and self._job.journal is None
        if not is_created and not is_address(path) and not os.path.exists(path):  # noqa: PTH110 - a path of any kind
            raise invalid_argument("journal", f"there is no file {path}")
        journal = open_stored(path, settings.name, settings.terms.post_limit)
        try:
            self._read.append(self._found(journal, path))
        except BaseException:
            journal.close()
            raise
        return journal

    def _found(self, journal: StoredJournal, path: str) -> Job | GivenJob:
        job = self._job
        if job.journal not in (None, journal.uuid):
            expected = "expected the journal of the map, which all workers must reach"
            raise invalid_argument("journal", f"{expected}: on this machine, {shown_journal(path)} is another one")
        if job.request is not None:
            return Job(job.key, job.request)
        (known,) = journal.find([job.key])
        if known is None:
            raise invalid_argument("key", f"the journal has no job {job.key!r}: pass its request to add it")
        return stored_job(known, journal.request(known.row.id))
