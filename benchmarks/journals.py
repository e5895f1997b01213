"""The journal of a map that 1, 2 and 4 processes share: jobs a second, without their runs, and the processor time.

Each process goes through all jobs, as ``run_map`` does: it claims those that are free, 20 at once, and notes of each a
request, its run and its end. PostgreSQL writes each commit to the disk, and SQLite those on which money hangs.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final

from benchmarks import samples
from benchmarks.table import Section
from comfydeploy._mapping.journal import Entry
from comfydeploy._mapping.opening import open_stored
from comfydeploy._mapping.rows import Claim, Finish, Record, Row, Try
from comfydeploy._wire.codec import read
from comfydeploy._wire.json_decoding import parsed
from comfydeploy.models.run import WorkflowRunModel

AT_ONCE: Final = 20
PROCESSES: Final = (1, 2, 4)
_CHUNK: Final = 500
_SERVER: Final = Path(__file__).parents[1] / "tests" / "mapping" / "postgres_server.py"


def sections(*, quick: bool) -> Iterator[Section]:
    """Share a journal."""
    jobs, rounds = (500, 1) if quick else (5_000, 3)
    elapsed: dict[str, list[float]] = {}
    busy: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, _database() as address:
        for turn in range(rounds):
            for count in PROCESSES:
                places = {"SQLite": f"{folder}/{turn}-{count}.sqlite", "PostgreSQL": address}
                for kind, journal in places.items():
                    if journal is not None:
                        seconds, processor = _shared(journal, f"{turn} {count}", jobs, count)
                        name = f"{kind}, {count} {'process' if count == 1 else 'processes'}"
                        elapsed.setdefault(name, []).append(seconds / jobs)
                        busy.setdefault(name, []).append(processor / jobs)
    yield Section(f"{jobs:,} jobs in a shared journal; jobs", "calls/s", elapsed)
    yield Section("Processor time of all processes of the map for each job", "us", busy)


@contextmanager
def _database() -> Iterator[str | None]:
    """Start a server whose commits are on the disk, if its programs are installed."""
    found = spec_from_file_location("postgres_server", _SERVER)
    assert found is not None
    assert found.loader is not None
    module: Any = module_from_spec(found)
    found.loader.exec_module(module)
    if module.programs() is None:
        yield None
        return
    module.SETTINGS |= {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB", "max_wal_size": "1GB"}
    with module.serving() as server:
        yield server.address


def _shared(journal: str, name: str, jobs: int, count: int) -> tuple[float, float]:
    """Return the seconds and the processor time until some processes have carried out all jobs."""
    context = get_context("spawn")
    barrier, answers = context.Barrier(count + 1), context.Queue()
    processes = [context.Process(target=_worked, args=(journal, name, jobs, barrier, answers)) for _ in range(count)]
    for process in processes:
        process.start()
    barrier.wait()
    began = time.perf_counter()
    processor = sum(answers.get() for _ in processes)
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return seconds, processor


def _worked(journal: str, name: str, jobs: int, barrier: Barrier, answers: Any) -> None:
    is_file = "://" not in journal
    opened = open_stored(journal, None if is_file else name, 300.0)
    run = read(parsed(samples.run(outputs=1)), WorkflowRunModel, "run")
    barrier.wait()
    before = time.process_time()
    for first in range(0, jobs, _CHUNK):
        keys = map(str, range(first, min(first + _CHUNK, jobs)))
        rows = opened.add([Entry(key, "digest", '{"inputs":{"prompt":"a heron at dawn"}}', None) for key in keys])
        free = [row for row in rows if isinstance(row, Row) and row.state == "new"]
        for at in range(0, len(free), AT_ONCE):
            some = free[at : at + AT_ONCE]
            claims = [Claim(row.id, f"{opened.session}{row.id}", time.time() + 60, None, 0.0) for row in some]
            own = [row for row in opened.carry_out(claims) if row is not None]
            if own:
                opened.carry_out([Try(row.id, row.owner, time.time(), time.time() + 60, None, None) for row in own])
                opened.carry_out([Record(row.id, row.owner, "run") for row in own])
                opened.carry_out([Finish(row.id, row.owner, run, None, ("a.png",)) for row in own])
    answers.put(time.process_time() - before)
    opened.close()
