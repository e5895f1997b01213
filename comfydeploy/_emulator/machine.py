"""The machine: plays the lives of all runs at once."""

import asyncio
import logging
from contextlib import aclosing
from itertools import count
from typing import Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments import Deployment
from comfydeploy._emulator.events import Event, Fragment, Tell
from comfydeploy._emulator.feed import Feed
from comfydeploy._emulator.life import Change, Life, Pause, Upload
from comfydeploy._emulator.logs import Log, LogLine
from comfydeploy._emulator.runs import ENDED, Run
from comfydeploy._emulator.store import Store
from comfydeploy._emulator.webhooks import Webhooks

_log: Final = logging.getLogger(__name__)


def unheard(_: Event | Fragment | None) -> None:
    """Hear nothing of a run: it is only queued."""


class Machine:
    """Runs every run in a task of its own, whoever listens; ``life`` tells what happens to it."""

    def __init__(self, store: Store, clock: Clock, life: Life, webhooks: Webhooks, feed: Feed) -> None:
        self._store: Final = store
        self._clock: Final = clock
        self._life: Final = life
        self._webhooks: Final = webhooks
        self._feed: Final = feed
        self._numbers: Final = count(1)
        self._playing: Final[dict[str, asyncio.Task[Run]]] = {}
        self._logs: Final[dict[str, Log]] = {}

    def begin(self, run: Run, deployment: Deployment, base: str, tell: Tell = unheard) -> None:
        """Start a new run, all of whose events are told."""
        self._store.save(run)
        self._feed.begun(run.id)
        log = Log()
        task = self._clock.task(self._play(run, deployment, base, log, tell))
        self._playing[run.id] = task
        self._logs[run.id] = log

        def end(_: asyncio.Task[Run]) -> None:
            del self._playing[run.id], self._logs[run.id]
            self._store.save_log(run.id, log.lines)
            log.end()
            tell(None)

        # However the task ends, and even if it never began.
        task.add_done_callback(end)

    def log(self, run_id: str) -> Log | None:
        """Return the log of a run while it is played."""
        return self._logs.get(run_id)

    async def end_of(self, run_id: str) -> Run | None:
        """Wait until a run has ended, and return it as it was then."""
        if task := self._playing.get(run_id):
            await asyncio.wait([task])
            if not task.cancelled():
                return task.result()
        return self._store.run(run_id)

    async def cancel(self, run_id: str, base: str) -> None:
        """End a run as cancelled, whether it is played or waits for its caller; what has ended stays as it is."""
        if task := self._playing.get(run_id):
            _cancel(task)
        # Before the task has ended, so that all who wait for that see how.
        run = self._store.run(run_id)
        if run and run.status not in ENDED:
            self._change(run, base, {"status": "cancelled"})
        if task:
            await asyncio.wait([task])

    async def stop(self) -> None:
        """Leave all runs where they are and end their streams."""
        tasks = list(self._playing.values())
        for task in tasks:
            _cancel(task)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._webhooks.stop()

    async def _play(self, run: Run, deployment: Deployment, base: str, log: Log, tell: Tell) -> Run:
        def heard(event: Event) -> None:
            self._feed.told(run.id, event)
            tell(event)

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
                        case LogLine():
                            log.add(act)
                            heard(act.told())
                        case Event():
                            heard(act)
        except Exception:  # noqa: BLE001 - whatever goes wrong, a run must end
            _log.exception("Run %s broke", run.id)
            run = self._change(run, base, {"status": "failed"})
        return run

    def _change(self, run: Run, base: str, fields: dict[str, object]) -> Run:
        run = run.changed(self._clock.now(), **fields)
        self._store.save(run)
        self._feed.changed(run.id)
        if "status" in fields or ("live_status" in fields and run.webhook_intermediate_status):
            self._webhooks.tell(run, base)
        return run


def _cancel(task: asyncio.Task[Run]) -> None:
    # Once: a run that is giving up its prompt already is not to be kept from it.
    if not task.cancelling():
        task.cancel()
