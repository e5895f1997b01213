"""Simulated time for waits: a pause of the client advances its clock and that of the local server."""

import asyncio
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from comfydeploy._drivers import call, steps, waiting


@contextmanager
def simulated(emulator, monotonic=None, paused=lambda: None):
    """Simulate the time of waits on an emulator; yield the list of all pauses.

    ``monotonic`` is the clock in place of the sum of the pauses. ``paused`` is called after each of them.
    """
    pauses = []
    real_sleep, main = asyncio.sleep, threading.main_thread()

    def sleep(seconds):
        pauses.append(seconds)
        emulator.advance(seconds)
        paused()

    async def sleep_async(seconds, result=None):
        if threading.current_thread() is not main or seconds <= 0:
            return await real_sleep(seconds, result)
        sleep(seconds)
        return await real_sleep(0, result)

    clock = monotonic or (lambda: sum(pauses))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "time", SimpleNamespace(sleep=sleep))
        patch.setattr(steps, "monotonic", clock)
        patch.setattr(call, "time", SimpleNamespace(sleep=sleep))
        patch.setattr(waiting, "monotonic", clock)
        patch.setattr("comfydeploy.funcs.run_watch.monotonic", clock)
        patch.setattr(waiting, "random", lambda: 0.5)
        patch.setattr(asyncio, "sleep", sleep_async)
        yield pauses
