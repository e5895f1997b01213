"""What a process holds: descriptors, threads and tasks; and what is left of some work."""

import asyncio
import gc
import os
import threading
import time
from contextlib import suppress


class Census:
    """The number of descriptors and threads of the process, as they were when it was taken."""

    def __init__(self):
        self._counts = self._now()

    def surplus(self, seconds=5):
        """Wait until there are no more than before; return what there is more."""
        end = time.monotonic() + seconds
        while (found := self._surplus()) and time.monotonic() < end:
            gc.collect()
            time.sleep(0.001)
        return found

    def _surplus(self):
        return [
            f"{count - before} {name} left"
            for (name, count), before in zip(self._now().items(), self._counts.values(), strict=True)
            if count > before
        ]

    @staticmethod
    def _now():
        descriptors = os.listdir("/dev/fd")  # noqa: PTH208 - a path would make an object for each
        return {"descriptors": len(descriptors), "threads": threading.active_count()}


async def tasks_left(rounds=200):
    """Wait until the running task is the only one; return the names of the others."""
    current = asyncio.current_task()
    for _ in range(rounds):
        if asyncio.all_tasks() == {current}:
            return []
        await asyncio.sleep(0)
    others = [task for task in asyncio.all_tasks() if task is not current]
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await asyncio.gather(*others, return_exceptions=True)
            return []
    return [f"task left: {task.get_coro()}" for task in others if not task.done()]
