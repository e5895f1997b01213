"""A simulated world: its clock, its tasks, and the order in which things happen.

A task is a generator. It yields the seconds of a pause, or a ``Future`` to wait for, and is sent what became of it.
"""

import random
from contextlib import contextmanager
from heapq import heappop, heappush
from unittest.mock import patch

from comfydeploy._http import ledger

MOST_STEPS = 20_000


class Fault(AssertionError):
    """A promise that does not hold. ``name`` is the promise, without what differs between worlds."""

    def __init__(self, name, detail=""):
        super().__init__(f"{name}: {detail}" if detail else name)
        self.name = name


class Future:
    """Something that is awaited: an answer, or a place."""

    __slots__ = ("_task", "_world", "is_set", "value")

    def __init__(self, world):
        self._world = world
        self._task = None
        self.is_set = False
        self.value = None

    def set(self, value=None, delay=0.0):
        """Set the value, if there is none yet; the task that waits goes on later, at the same time or after a delay."""
        if not self.is_set:
            self.is_set, self.value = True, value
            if self._task is not None:
                self._world.at(self._world.now + delay, self._task.resume, self)

    def cancel(self):
        """Know that the task that waits is killed."""

    def awaited_by(self, task):
        self._task = task
        if self.is_set:
            self._world.at(self._world.now, task.resume, self)


class Task:
    """A generator that is carried out, and may be killed where it waits."""

    __slots__ = ("_awaited", "_steps", "_world", "is_over")

    def __init__(self, world, steps):
        self._world = world
        self._steps = steps
        self._awaited = None
        self.is_over = False
        world.at(world.now, self.resume, None)

    def resume(self, awaited):
        """Go on, unless it was killed, or waits for something else by now."""
        if self.is_over or awaited is not self._awaited:
            return
        try:
            yielded = self._steps.send(None if awaited is None else awaited.value)
        except StopIteration:
            self.is_over = True
            return
        except BaseException:
            self.is_over = True
            raise
        if not isinstance(yielded, Future):
            seconds, yielded = yielded, Future(self._world)
            self._world.at(self._world.now + seconds, yielded.set)
        self._awaited = yielded
        yielded.awaited_by(self)

    def kill(self):
        """End the task where it is, as a cancellation does: what it waits for knows that a moment earlier."""
        if not self.is_over:
            self.is_over = True
            if self._awaited is not None:
                self._awaited.cancel()
            self._world.at(self._world.now, self._steps.close)


class World:
    """What happens, in the order of the clock. ``trace`` is what was noted, where that is of interest."""

    def __init__(self, choices, trace=None):
        self.choices = choices
        self.now = 0.0
        self.steps = 0
        self.trace = trace
        self._waiting = []
        self._count = 0
        self._tasks = []
        self.broken = None
        """A promise that was broken where nothing can be raised, as in a finalizer."""

    def at(self, time, work, *arguments):
        """Do something at a time."""
        self._count += 1
        heappush(self._waiting, (time, self._count, work, arguments))

    def spawn(self, steps):
        """Begin a task."""
        self._tasks.append(Task(self, steps))
        return self._tasks[-1]

    def note(self, text, *values):
        """Note what happens."""
        if self.trace is not None:
            self.trace.append(f"{self.now:9.3f}  {text % values}")

    def run(self):
        """Let everything happen."""
        waiting = self._waiting
        with self._clock():
            while waiting:
                self.now, _, work, arguments = heappop(waiting)
                self.steps += 1
                if self.steps > MOST_STEPS:
                    raise Fault("it never ends")
                work(*arguments)
                if self.broken is not None:
                    raise self.broken
        if not all(task.is_over for task in self._tasks):
            raise Fault("a task waits without end")

    @contextmanager
    def _clock(self):
        with patch.object(ledger, "monotonic", lambda: self.now), patch.object(random, "random", self.choices.fraction):
            yield
