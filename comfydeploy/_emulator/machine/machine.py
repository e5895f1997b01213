"""The machine: executes all runs concurrently."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from itertools import count
from typing import Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.machine.life import Change, Life, Pause, Upload
from comfydeploy._emulator.runs.events import Event, Fragment, Listener
from comfydeploy._emulator.runs.feed import Feed
from comfydeploy._emulator.runs.logs import Log, LogLine
from comfydeploy._emulator.runs.output import InternalOutput
from comfydeploy._emulator.runs.run import ENDED, Run
from comfydeploy._emulator.runs.store import Store

_log: Final = logging.getLogger(__name__)


def ignore_events(_: Event | Fragment | None) -> None:
    """Ignore all events."""


class Machine:
    """Executes each run in a task of its own, whether or not its events are read; ``life`` yields what happens.

    ``notify`` sends the run, at the server's address, to its webhook.
    """

    def __init__(self, store: Store, clock: Clock, life: Life, notify: Callable[[Run, str], None], feed: Feed) -> None:
        self._store: Final = store
        self._clock: Final = clock
        self._life: Final = life
        self._notify: Final = notify
        self._feed: Final = feed
        self._numbers: Final = count(1)
        self._playing: Final[dict[str, asyncio.Task[Run]]] = {}
        self._logs: Final[dict[str, Log]] = {}

    def start(self, run: Run, deployment: Deployment, base: str, listener: Listener = ignore_events) -> None:
        """Start a new run; ``listener`` takes its events."""
        self._store.save(run)
        self._feed.run_started(run.id)
        log = Log()
        task = self._clock.task(self._play(run, deployment, base, log, listener))
        self._playing[run.id] = task
        self._logs[run.id] = log

        def end(_: asyncio.Task[Run]) -> None:
            del self._playing[run.id], self._logs[run.id]
            self._store.save_log(run.id, log.lines)
            log.end()
            listener(None)

        # However the task ends, and also if it never began.
        task.add_done_callback(end)

    def reject(self, run: Run, lines: Sequence[str]) -> None:
        """Store a new run that could not start, with its log; it has failed without an end."""
        now = self._clock.now()
        self._feed.run_started(run.id)
        self._store.save(run.model_copy(update={"status": "failed"}))
        self._store.save_log(run.id, [LogLine(message=line, moment=now) for line in lines])
        self._feed.run_changed(run.id)

    def add_line(self, run_id: str, line: LogLine) -> None:
        """Add a line to the log of a run, also of one that has ended."""
        if live := self._logs.get(run_id):
            live.add(line)
        else:
            self._store.save_log(run_id, [*self._store.log(run_id), line])

    def log(self, run_id: str) -> Log | None:
        """Return the log of a run in progress."""
        return self._logs.get(run_id)

    async def end_of(self, run_id: str) -> Run | None:
        """Wait until a run has ended, and return it as it was then."""
        if task := self._playing.get(run_id):
            await asyncio.wait([task])
            if not task.cancelled():
                return task.result()
        return self._store.run(run_id)

    async def cancel(self, run_id: str, base: str) -> None:
        """Cancel a run, in progress or native; one that has ended stays as it is."""
        if task := self._playing.get(run_id):
            _cancel(task)
        # Before the task ends, so that those who wait for its end read the new status.
        run = self._store.run(run_id)
        if run and run.status not in ENDED:
            self._change(run, base, {"status": "cancelled"})
        if task:
            await asyncio.wait([task])

    async def stop(self) -> None:
        """Stop all runs where they are, and end their streams."""
        tasks = list(self._playing.values())
        for task in tasks:
            _cancel(task)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _play(self, run: Run, deployment: Deployment, base: str, log: Log, listener: Listener) -> Run:
        def publish(event: Event) -> None:
            self._feed.add_event(run.id, event)
            listener(event)

        try:
            async with aclosing(self._life(run, deployment, next(self._numbers), base)) as acts:
                async for act in acts:
                    match act:
                        case Pause(seconds):
                            await self._clock.sleep(seconds)
                        case Change(fields):
                            run = self._change(run, base, fields)
                        case Upload(output, files):
                            await asyncio.to_thread(self._store.save_files, run.id, files)
                            run = self._change(run, base, {"outputs": (*run.outputs, output)})
                        case InternalOutput():
                            run = self._change(run, base, {"internal_outputs": (*run.internal_outputs, act)})
                        case LogLine():
                            log.add(act)
                            publish(act.run_event())
                        case Event():
                            publish(act)
        except Exception:  # noqa: BLE001 - whatever goes wrong, a run must end
            _log.exception("Run %s broke", run.id)
            run = self._change(run, base, {"status": "failed"})
        return run

    def _change(self, run: Run, base: str, fields: dict[str, object]) -> Run:
        run = run.changed(self._clock.now(), **fields)
        self._store.save(run)
        self._feed.run_changed(run.id)
        if "status" in fields or ("live_status" in fields and run.webhook_intermediate_status):
            self._notify(run, base)
        return run


def _cancel(task: asyncio.Task[Run]) -> None:
    # Only once: a second cancellation would interrupt a run that is giving up its prompt.
    if not task.cancelling():
        task.cancel()
