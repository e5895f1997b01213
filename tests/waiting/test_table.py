"""The results of disturbed waits: every disturbance at every point of a run's life, over sockets.

The expected table is ``table.txt``; ``python tests/waiting/test_table.py`` writes it. Time is simulated: a pause
of the wait advances the clock of the wait and that of the local server.
"""

import asyncio
import gc
import itertools
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from simulated_time import simulated

from comfydeploy import ComfyDeployCore, Failure, RequestOptions, RetryConfig, Success
from comfydeploy.emulator import CannotStart, Emulator, Fails, Succeeds
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait, run_queue_and_wait_async
from comfydeploy.funcs.run_watch import run_watch, run_watch_async
from comfydeploy.outcome import DeadlineExceeded, RunFailed

TABLE = Path(__file__).parent / "table.txt"
LINE = "{:<12} {:<26} {:<54} {:<6} {:<46} {:>4} {:>7}"
HEAD = ("point", "disturbance", "result", "run id", "requests", "runs", "sockets")

# A point is a request: the operation, how many of its requests come before it, the run, and the server's cold start.
POINTS = {
    "creating": ("run_queue", 0, Succeeds(seconds=3), 0.3),
    "first read": ("run_get", 0, Succeeds(seconds=3), 0.3),
    "running": ("run_get", 3, Succeeds(seconds=3), 0.3),
    "ended": ("run_get", 0, Succeeds(seconds=0), 0.0),
    "reading row": ("runs_list", 0, Fails("no", seconds=0), 0.0),
    "reading log": ("run_logs", 0, CannotStart(seconds=0), 0.0),
}
FAULTS = {
    "answer lost": {"reset": True, "execute": True},
    "reset": {"reset": True},
    "cut": {"truncate_after": 9},
    "500": {"status": 500},
    "500, executed": {"status": 500, "execute": True},
    "503 with Retry-After": {"status": 503, "retry_after": 2},
    "hang": {"hang": True},
}
STOPS = ("Ctrl-C", "task cancellation", "deadline")
ENDS = ("", ", cancel")
LEAVING = "leaving the watch"
CASES = [
    *((point, fault) for point in POINTS for fault in FAULTS),
    *((point, f"{stop}{end}") for point in POINTS for stop in STOPS for end in ENDS),
    *(("pausing", f"{stop}{end}") for stop in STOPS[:2] for end in ENDS),
    *((point, LEAVING) for point in ("first read", "running", "ended")),
]
POINTS["pausing"] = POINTS["running"]
CASES.sort(key=lambda case: [*POINTS].index(case[0]))
COLOURS = ("blocking", "async")


class Life:
    """One wait on its own server, and its result."""

    def __init__(self, point, disturbance, colour, emulator):
        self.point = point
        self.stop = disturbance.removesuffix(ENDS[1])
        self.is_async = colour == "async"
        self.on_abandon = "leave" if self.stop == disturbance else "cancel"
        self.emulator = emulator
        self.measured_at = time.monotonic()
        self.hung = None
        self.queued = []
        self.interrupting = None
        self.is_over = threading.Event()
        self.pauses = []
        self.interrupt = lambda: signal.raise_signal(signal.SIGINT)
        operation, after, outcome, _ = POINTS[point]
        lasts_long = self.stop == "deadline" and point in ("first read", "running")
        emulator.script("picture", Succeeds(seconds=100) if lasts_long else outcome)
        if self.stop in FAULTS:
            emulator.fail(operation, times=1, after=after, **FAULTS[self.stop])
        elif self.stop != LEAVING and not lasts_long and point != "pausing":
            executed = {"execute": True} if point == "creating" else {}
            emulator.fail(operation, times=1, after=after, hang=True, **executed)

    def monotonic(self):
        """Return the time: the pauses, and the duration of a request that hangs up to a deadline."""
        operation, after, _, _ = POINTS[self.point]
        now, before = time.monotonic(), self.measured_at
        self.measured_at = now
        is_reached = [one.operation for one in self.emulator.requests].count(operation) > after
        if is_reached and self.hung is None:
            self.hung = now - before
        return sum(self.pauses) + (self.hung or 0.0 if self.stop == "deadline" else 0.0)

    def paused(self):
        if self.point == "pausing" and len(self.pauses) == 3:
            self.interrupt()

    @property
    def options(self):
        retries = RetryConfig()
        match self.stop:
            case "hang":
                return RequestOptions(retries=retries, timeout=0.25)
            case "deadline":
                return RequestOptions(retries=retries, deadline={"first read": 2, "running": 20}.get(self.point, 0.8))
        return RequestOptions(retries=retries)

    def live(self):
        with ComfyDeployCore(bearer=self.emulator.bearer, server_url=self.emulator.url) as core:
            if not self.is_async:
                return self._stopped(lambda: self._wait(core))

            async def wait():
                async with core:
                    return await self._wait_async(core)

            return self._stopped(lambda: asyncio.run(wait()))

    def _wait(self, core):
        request = {"deployment_id": self.emulator.deployments["picture"]}
        if self.stop == LEAVING:
            self._queue(core, request)
            with run_watch(core, self.queued[0]) as watch:
                next(item for item in watch if self._is_point(item))
            return next(watch, watch.result)
        self._interrupt_later()
        named = {"on_queued": self.queued.append, "on_abandon": self.on_abandon}
        return run_queue_and_wait(core, request, self.options, **named)

    async def _wait_async(self, core):
        request = {"deployment_id": self.emulator.deployments["picture"]}
        if self.stop == LEAVING:
            self._queue(core, request)
            async with run_watch_async(core, self.queued[0]) as watch:
                async for item in watch:
                    if self._is_point(item):
                        break
            return await anext(watch, watch.result)
        named = {"on_queued": self.queued.append, "on_abandon": self.on_abandon}
        waiting = asyncio.create_task(run_queue_and_wait_async(core, request, self.options, **named))
        if self.stop == "task cancellation":
            loop = asyncio.get_running_loop()
            self.interrupt = lambda: loop.call_soon_threadsafe(waiting.cancel)
        self._interrupt_later()
        return await waiting

    def _queue(self, core, request):
        self.queued.append(run_queue(core, request).unwrap().run_id)
        self.emulator.advance(0)  # so that a run without duration has ended

    def _is_point(self, item):
        status = item.unwrap().status
        return self.point == "first read" or status == {"running": "running", "ended": "success"}[self.point]

    def _interrupt_later(self):
        """Interrupt the wait once the server has received the request of the point, which it does not answer."""
        if self.stop not in STOPS[:2] or self.point == "pausing":
            return
        interrupt = self.interrupt if self.stop == "task cancellation" else _interrupt_main_thread
        operation, after, _, _ = POINTS[self.point]

        def watch():
            pause = threading.Event()
            while [one.operation for one in self.emulator.requests].count(operation) <= after or not self.emulator.runs:
                pause.wait(0.002)
            interrupt()
            # A signal just before a read that blocks is noticed after the read only, or at the next signal.
            while self.stop == "Ctrl-C" and not self.is_over.wait(0.05):
                signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

        if self.stop == "Ctrl-C":
            signal.signal(signal.SIGUSR1, lambda *_: None)
        self.interrupting = threading.Thread(target=watch, daemon=True)
        self.interrupting.start()

    def _stopped(self, wait):
        try:
            return shown(wait())
        except (KeyboardInterrupt, asyncio.CancelledError) as stop:
            notes = [note for link in (stop, stop.__context__) for note in getattr(link, "__notes__", ())]
            known = self.queued[0] if self.queued else "unknown"
            return f"{type(stop).__name__}: {notes[0].replace(known, '(its id)')}"
        finally:
            self.is_over.set()


def _interrupt_main_thread():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # which ends its wait for bytes


def shown(result):
    match result:
        case None:
            return "none yet"
        case Success(run):
            return f"Success: {run.status}"
        case Failure(RunFailed(kind=kind, source=source)):
            return f"RunFailed: {kind}, {source}"
        case Failure(DeadlineExceeded(run=run, cancelled=cancelled)):
            return f"DeadlineExceeded: {run.status if run else 'unread'}, cancelled: {cancelled}"
        case Failure(error):
            code = getattr(error, "status_code", "")
            return f"{type(error).__name__} {code}".strip() + f": fate {error.fate}"


@pytest.fixture(scope="module", autouse=True)
def clean():
    gc.collect()  # so that objects of other tests are closed now, and not within a row


def row(point, disturbance, colour):
    before = len(list(Path("/dev/fd").iterdir()))
    cold_start = 100 if (point, disturbance.partition(",")[0]) == ("first read", "deadline") else POINTS[point][3]
    with Emulator(clock="manual", cold_start=cold_start) as emulator:
        life = Life(point, disturbance, colour, emulator)
        with simulated(emulator, life.monotonic, life.paused) as life.pauses:
            result = life.live()
        if life.interrupting:
            life.interrupting.join(5)
        runs = len(emulator.runs)
        sent = Counter(one.operation for one in emulator.requests)
    assert runs <= 1
    # Without garbage collection before: a socket that only the collector closes is open.
    sockets = len(list(Path("/dev/fd").iterdir())) - before
    requests = ", ".join(f"{operation} {count}" for operation, count in sorted(sent.items()))
    return LINE.format(point, disturbance, result, "yes" if life.queued else "no", requests, runs, sockets).rstrip()


def expected():
    return TABLE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("point", "disturbance", "colour"),
    [
        pytest.param(*case, colour, id=f"{'-'.join(case)}-{colour}")
        for case, colour in itertools.product(CASES, COLOURS)
        if colour == "async" or not case[1].startswith("task")
    ],
)
def test_disturbed_wait(point, disturbance, colour):
    found = row(point, disturbance, colour)
    beginning = LINE.format(point, disturbance, *[""] * 5).rstrip() + "  "
    (line,) = [line for line in expected() if line.startswith(beginning)]
    assert found == line


def test_table_holds_its_promises():
    lines = expected()[1:]
    assert len(lines) == len(CASES)
    for line in lines:
        runs, sockets = map(int, line.split()[-2:])
        assert (runs <= 1, sockets) == (True, 0), line
        if line.startswith(("first read", "running")) and "deadline, cancel" in line:
            assert "cancelled: yes" in line
        if line.startswith("creating"):
            assert ("run_queue 2" in line) == ("503 with" in line), line
        else:
            assert "run_queue 1" in line


if __name__ == "__main__":
    found = [row(point, disturbance, "async") for point, disturbance in CASES]
    TABLE.write_text("\n".join([LINE.format(*HEAD), *found, ""]), encoding="utf-8")
    sys.stdout.write(f"{TABLE}\n")
