"""Maps whose processes are killed at any moment, compared with a loop with retries, over real sockets and files.

``python tests/mapping/test_crashes.py`` kills a thousand of them, in a quarter of an hour, and writes ``crashes.txt``.
With ``postgres`` as an argument they share a PostgreSQL database, which is killed as well: it writes
``crashes_postgres.txt``.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from attrs import evolve, field, frozen
from postgres_server import serving

from comfydeploy.emulator import Emulator

PROCESS = Path(__file__).with_name("crash_process.py")
TABLE = Path(__file__).with_name("crashes.txt")
SHARED_TABLE = Path(__file__).with_name("crashes_postgres.txt")
PACE = 0.02
DAY = 86400.0
MINUTES = 600.0
ABSENCE = 0.8
LATE = 0.3
FAULTS = (
    {"reset": True},
    {"reset": True, "execute": True},
    {"status": 500, "execute": True},
    {"status": 503, "execute": True},
    {"status": 429},
    {"reset": True, "execute": True, "appear_after": LATE / PACE},
    {"status": 500, "execute": True, "appear_after": LATE / PACE},
)
READS = ("run_get", "workflow_runs", "runs_list", "deployment_get")


@frozen
class Weather:
    """The conditions of a night. ``faults`` is the part of faulty requests for runs, ``reads`` that of others.

    ``breaks`` is the part of crashes that are those of the database, ``stops`` that of processes that stand still while
    it restarts. ``is_forgetful``: commits are not durable, so that the database loses some when it is killed.
    """

    name: str
    faults: float = 0.0
    reads: float = 0.0
    at_once: int = 1
    skewed: bool = False
    full: float = 0.0
    breaks: float = 0.0
    stops: float = 0.0
    is_forgetful: bool = False
    plain: bool = False


@frozen
class Score:
    """The result of some nights."""

    crashes: int = 0
    breaks: int = 0
    jobs: int = 0
    paid: int = 0
    twice: int = 0
    lost: int = 0
    missing: int = 0
    half: int = 0
    problems: tuple[str, ...] = field(default=(), repr=False)

    def __add__(self, other):
        names = ("crashes", "breaks", "jobs", "paid", "twice", "lost", "missing", "half", "problems")
        return Score(*(getattr(self, name) + getattr(other, name) for name in names))


class Night:
    """One map that is killed and started again until it has ended."""

    def __init__(self, starter, folder, weather, seed, *, jobs, kills, database=None):
        self.starter, self.folder, self.weather, self.database = starter, folder, weather, database
        self.dice, self.jobs, self.kills = Random(seed), jobs, kills
        self.starts = 0
        self.crashes = 0
        self.breaks = 0
        self.half = set()

    def go(self):
        with Emulator(pace=PACE, seed=self.dice.randrange(1000), cold_start=0) as server:
            self.server = server
            self.break_things()
            living = []
            while self.crashes + self.breaks < self.kills:
                while len(living) < self.weather.at_once:
                    living.append(self.start())
                self.wait(living)
                living = [one for one in living if is_alive(one)]
                if not self.server.runs and not self.ended.exists():
                    continue  # a list without a run of the map would prove nothing, and leave all jobs in doubt
                event = self.dice.random()
                if living and event < self.weather.stops:
                    self.stop(living[self.dice.randrange(len(living))])
                elif living and event < self.weather.stops + self.weather.breaks:
                    self.break_database()
                elif living:
                    self.kill(living.pop(self.dice.randrange(len(living))))
                elif self.ended.exists():
                    break
            for one in living:
                self.kill(one)
            self.server.clear_faults()
            return self.finish()

    def break_things(self):
        for number in range(400):
            if self.dice.random() < self.weather.faults:
                self.server.fail("run_queue", times=1, after=number, **self.dice.choice(FAULTS))
            for name in READS:
                if self.dice.random() < self.weather.reads:
                    self.server.fail(
                        name, times=1, after=number, **self.dice.choice(({"status": 502}, {"reset": True}))
                    )
            if self.dice.random() < self.weather.reads:
                self.server.fail("output_file", times=1, after=number, reset_after=self.dice.randrange(400))

    @property
    def ended(self):
        return self.folder / "ended"

    def start(self, *, last=False):
        self.starts += 1
        is_skewed = self.weather.skewed and not last and self.dice.random() < 0.5
        is_full = not last and self.dice.random() < self.weather.full
        order = {
            "url": self.server.url,
            "bearer": self.server.bearer,
            "deployment": self.server.deployments["picture"],
            "folder": str(self.folder),
            "ended": str(self.ended),
            "jobs": self.jobs,
            "at_once": 6,
            "post_limit": 1.0,
            "grace": 0.5,
            "plain": self.weather.plain,
            # A process whose owner is on another machine: only its lease shows that it is alive. All earlier ones
            # have ended by the clock of the next one.
            "ahead": self.ahead(),
            "host": f"host{self.starts}" if is_skewed else None,
            "name": None if self.database is None else f"night {self.folder.name}",
            "journal": str(self.folder / "map.sqlite") if self.database is None else self.database.address,
            "is_forgetful": self.weather.is_forgetful,
            "absence": 0.0 if self.database is None else ABSENCE,
            "limit": self.dice.randrange(30_000, 200_000) if is_full else None,
        }
        return self.starter.start(order)

    def ahead(self):
        """Return by how much the clock of the next process is wrong."""
        if not self.weather.skewed:
            return 0.0
        return self.starts * DAY if self.database is None else self.dice.uniform(-MINUTES, MINUTES)

    def wait(self, living):
        """Wait until the server has received some more requests, and then for a random moment."""
        self.server.clear_requests()
        enough = self.dice.randrange(1, 30)
        until = time.monotonic() + self.dice.choice((0.2, 0.2, 0.5, 3.0))
        while len(self.server.requests) < enough and all(map(is_alive, living)) and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(self.dice.random() * 0.004)

    def kill(self, pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.crashes += 1
        while is_alive(pid):
            time.sleep(0.001)
        self.half.update(path.name for path in self.pictures() if not is_whole(path.read_bytes()))

    def break_database(self):
        """Kill the database, or one of its processes, or close one connection."""
        how = self.dice.choice(("kill", "kill", "crash", "close"))
        if how == "kill":
            self.database.kill()
            time.sleep(self.dice.choice((0.0, 0.0, 0.5)))
            self.database.start()
        else:
            self.database.break_one(self.dice, signal.SIGKILL if how == "crash" else signal.SIGTERM)
        self.breaks += 1

    def stop(self, pid):
        """Let a process stand still until another one takes it for dead, because the database was killed."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self.break_database()
            time.sleep(self.dice.choice((0.2, 1.0, 4.0)))
            os.kill(pid, signal.SIGCONT)

    def pictures(self):
        return list((self.folder / "out").glob("[!.]*.png"))

    def finish(self):
        """Run the map to its end, and count."""
        items = []
        for _ in range(6):
            self.ended.unlink(missing_ok=True)
            pid = self.start(last=True)
            while is_alive(pid):
                time.sleep(0.005)
            if not self.ended.exists():
                continue  # the database still recovers, and the error of the map says to start it again
            items = json.loads(self.ended.read_text()).get("items", [])
            if all(error is None for *_, error in items):
                break
        assert self.ended.exists(), [path.read_text() for path in self.folder.glob("failed-*")]
        return self.counted(items)

    def counted(self, items):
        time.sleep(LATE)  # the last request may appear now
        runs = self.server.runs
        by_seed = Counter(run.workflow_inputs["seed"] for run in runs)
        if self.weather.plain:
            known = set((self.folder / "known").read_text().split())
        else:
            known = {run_id for _, run_id, *_ in items}
        self.half.update(path.name for path in self.pictures() if not is_whole(path.read_bytes()))
        whole = [path for path in self.pictures() if is_whole(path.read_bytes())]
        parts = list((self.folder / "out").glob(".*"))
        problems = [path.read_text() for path in self.folder.glob("failed-*")]
        problems += [f"left over: {path.name}" for path in parts]
        problems += [error for *_, error in items if error]
        return Score(
            crashes=self.crashes + self.breaks,
            breaks=self.breaks,
            jobs=self.jobs,
            paid=len(runs),
            twice=sum(count - 1 for count in by_seed.values()),
            lost=sum(run.id not in known for run in runs),
            missing=self.jobs - len(whole),
            half=len(self.half),
            problems=tuple(problems),
        )


class Starter:
    """Starts processes that have everything loaded."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, order):
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@contextmanager
def starting():
    starter = Starter()
    try:
        yield starter
    finally:
        starter.close()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_whole(content):
    return content.startswith(b"\x89PNG") and content.endswith(b"IEND\xaeB`\x82")


WEATHER = (
    Weather("kills alone"),
    Weather("lost answers", faults=0.3, reads=0.05),
    Weather("two processes", faults=0.2, reads=0.03, at_once=2),
    Weather("two processes, clocks that jump", faults=0.2, reads=0.03, at_once=2, skewed=True),
    Weather("full disks", faults=0.2, reads=0.03, full=0.5),
)


SHARED = (
    Weather("four processes", faults=0.1, reads=0.02, at_once=4),
    Weather("clocks that differ by minutes", faults=0.1, reads=0.02, at_once=4, skewed=True),
    Weather("the database is killed", faults=0.1, reads=0.02, at_once=4, skewed=True, breaks=0.3),
    Weather("and processes stand still", faults=0.1, reads=0.02, at_once=4, skewed=True, breaks=0.2, stops=0.2),
)


FORGETFUL = Weather(
    "weakened: commits are not durable",
    faults=0.1,
    reads=0.02,
    at_once=4,
    skewed=True,
    breaks=0.5,
    stops=0.2,
    is_forgetful=True,
)


def scored(starter, weather, *, nights, jobs, kills, seed=0, database=None):
    score = Score()
    for number in range(nights):
        with TemporaryDirectory() as folder:
            night = Night(starter, Path(folder), weather, seed + number, jobs=jobs, kills=kills, database=database)
            score += night.go()
    return score


@pytest.fixture(scope="module")
def starter():
    with starting() as started:
        yield started


@pytest.mark.parametrize("weather", WEATHER[-2:], ids=lambda weather: weather.name)
def test_no_crash_costs_a_run(starter, weather):
    score = scored(starter, weather, nights=1, jobs=6, kills=4)
    assert score.problems == ()
    assert (score.paid, score.twice, score.lost, score.missing, score.half) == (6, 0, 0, 0, 0)


def test_no_crash_of_a_shared_journal_costs_a_run(starter, postgres_server):
    score = scored(starter, SHARED[2], nights=1, jobs=6, kills=4, database=postgres_server)
    assert score.problems == ()
    assert (score.paid, score.twice, score.lost, score.missing, score.half) == (6, 0, 0, 0, 0)


def shared_table(nights):
    lines = [
        "| | crashes | of the database | jobs | runs paid | twice | lost | pictures missing | half files |",
        "|" + "---|" * 9,
    ]
    with starting() as starter, serving() as database:
        for weather in (*SHARED, FORGETFUL):
            few = max(nights // 3, 1) if weather.is_forgetful else nights
            score = scored(starter, weather, nights=few, jobs=60, kills=40, database=database)
            for problem in score.problems:
                sys.stderr.write(f"{weather.name}: {problem}\n")
            counts = (score.jobs, score.paid, score.twice, score.lost, score.missing, score.half)
            counted = " | ".join(f"{count:,}" for count in (score.crashes, score.breaks, *counts))
            lines.append(f"| {database.version}: {weather.name} | {counted} |")
            sys.stderr.write(lines[-1] + "\n")
    known = SHARED_TABLE.read_text().splitlines() if SHARED_TABLE.exists() else []
    others = [line for line in known[2:] if not line.startswith(f"| {database.version}: ")]
    return "\n".join([*lines, *others]) + "\n"


def table(nights):
    lines = ["| | crashes | jobs | runs paid | twice | lost | pictures missing | half files |", "|" + "---|" * 8]
    with starting() as starter:
        for plain in (False, True):
            for weather in WEATHER:
                chosen = evolve(weather, plain=plain)
                # The loop needs only a few nights.
                score = scored(starter, chosen, nights=max(nights // 5, 1) if plain else nights, jobs=60, kills=40)
                for problem in score.problems:
                    sys.stderr.write(f"{weather.name}: {problem}\n")
                name = f"{'loop with retries' if plain else 'run_map'}: {weather.name}"
                counts = (score.crashes, score.jobs, score.paid, score.twice, score.lost, score.missing, score.half)
                lines.append(f"| {name} | {' | '.join(f'{count:,}' for count in counts)} |")
                sys.stderr.write(lines[-1] + "\n")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    is_shared, *rest = [sys.argv[1:2] == ["postgres"], *sys.argv[1:]]
    nights = int(rest[-1]) if rest and rest[-1].isdecimal() else 7 if is_shared else 5
    text = shared_table(nights) if is_shared else table(nights)
    if nights >= 5:
        (SHARED_TABLE if is_shared else TABLE).write_text(text)
    sys.stdout.write(text)
