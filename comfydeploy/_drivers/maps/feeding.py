"""The jobs of a map as they are read: checked, compared with the journal, and begun."""

from collections.abc import Iterable, Iterator
from functools import partial
from time import monotonic
from typing import Any, Final

from comfydeploy._drivers.maps.in_work import JobsInWork
from comfydeploy._drivers.maps.items import item_of, stored_item
from comfydeploy._drivers.maps.outbox import Outbox
from comfydeploy._drivers.maps.work import Workshop
from comfydeploy._mapping.jobs import (
    Duplicates,
    GivenJob,
    conflict_error,
    is_sequence,
    job_problem,
    journal_entry,
    read_job,
)
from comfydeploy._mapping.journal import ADOPTED, OTHER_REQUEST, Conflict
from comfydeploy._mapping.rows import Row
from comfydeploy.errors import Error
from comfydeploy.result import Failure, Success

_CHUNK: Final = 500
_MOMENT: Final = 0.005  # seconds in which jobs are read ahead


class Feeder:
    """Reads jobs and begins them. A sequence is read twice: all of it is checked before the first run is billed."""

    def __init__(self, jobs: Iterable[Any], shop: Workshop, outbox: Outbox, in_work: JobsInWork) -> None:
        self._jobs = jobs
        self._shop = shop
        self._outbox = outbox
        self._in_work = in_work
        self._pattern = shop.settings.pattern
        self._failure: Exception | None = None

    async def feed(self) -> None:
        """Read all jobs and begin them, and wait for those of other processes."""
        if is_sequence(self._jobs):
            is_settled = bytearray(len(self._jobs))
            duplicates = Duplicates()
            for chunk in self._chunks(enumerate(self._jobs)):
                for job in chunk:
                    is_settled[job.index] = 1
                for job in await self._sifted(chunk, duplicates):
                    is_settled[job.index] = 0
            left = ((index, self._jobs[index]) for index, settled in enumerate(is_settled) if not settled)
            await self._begin_all(self._chunks(left), is_checked=True)
        else:
            await self._begin_all(self._chunks(enumerate(self._jobs)), is_checked=False)
        while not self._in_work.is_empty:
            await self._outbox.wait()
        if self._failure is not None:
            raise self._failure

    async def _begin_all(self, chunks: Iterable[list[GivenJob]], *, is_checked: bool) -> None:
        for chunk in chunks:
            jobs = chunk if is_checked else await self._sifted(chunk, None)
            entries = [journal_entry(job, self._pattern) for job in jobs]
            rows = await self._shop.writer.call(partial(self._shop.writer.journal.add, entries))
            for job, row in zip(jobs, rows, strict=True):
                if isinstance(row, Conflict):
                    await self._fail(job, conflict_error(row.reason, job))
                else:
                    await self._in_work.begin(job, row)
            while not self._in_work.has_room:
                await self._outbox.wait()
            is_new = all(isinstance(row, Row) and row.state == "new" for row in rows)
            if self._in_work.is_spent and is_new and rows:
                return  # the following jobs are new too, and may be endless

    async def _sifted(self, chunk: list[GivenJob], duplicates: Duplicates | None) -> list[GivenJob]:
        """Return the jobs to begin; yield the items of the others."""
        journal, good = self._shop.writer.journal, list[GivenJob]()
        found = await self._shop.writer.call(partial(journal.find, [job.key for job in chunk]))
        for job, known in zip(chunk, found, strict=True):
            problem: Error | None = job.problem
            if problem is None and known is not None and known.digest not in (job.digest, ADOPTED):
                problem = conflict_error(OTHER_REQUEST, job)
            is_done = known is not None and known.row.state == "done" and self._in_work.reopened(known.row) is None
            if problem is None and not is_done:
                problem = job_problem(job, self._pattern)
            if problem is None and duplicates is not None:
                problem = duplicates.problem(job, None if is_done else self._pattern)
            if problem is None and not is_done:
                checked = await self._shop.checked(job)
                problem = None if isinstance(checked, Success) else checked.failure()
            if problem is not None:
                await self._fail(job, problem)
            elif known is not None and is_done:
                await self._outbox.put(stored_item(job, known.row))
            else:
                good.append(job)
        return good

    async def _fail(self, job: GivenJob, problem: Error) -> None:
        if self._shop.settings.is_step:
            raise problem
        await self._outbox.put(item_of(job, None, 1, (), Failure(problem)))

    def _chunks(self, jobs: Iterable[tuple[int, Any]]) -> Iterator[list[GivenJob]]:
        """Yield jobs in groups, which are large where jobs are available at once."""
        rest = iter(jobs)
        while chunk := self._chunk(rest):
            yield chunk

    def _chunk(self, rest: Iterator[tuple[int, Any]]) -> list[GivenJob]:
        chunk: list[GivenJob] = []
        until = monotonic() + _MOMENT
        try:
            for index, given in rest:
                chunk.append(read_job(index, given))
                if len(chunk) >= _CHUNK or monotonic() >= until:
                    break
        except Exception as error:  # noqa: BLE001 - of the caller's iterator
            self._failure = error
        return chunk
