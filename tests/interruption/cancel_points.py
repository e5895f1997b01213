"""Ends a task at a chosen suspension, each way in which asyncio and anyio do it."""

import asyncio
from abc import ABC, abstractmethod

import anyio


class Stepped:
    """Awaits a coroutine; calls ``act`` with what it waits for at one of its suspensions, and counts them."""

    def __init__(self, coroutine, number, act):
        self.passed = 0
        self._coroutine = coroutine
        self._number = number
        self._act = act

    def __await__(self):
        steps, error = self._coroutine.__await__(), None
        while True:
            try:
                waited = steps.send(None) if error is None else steps.throw(error)
            except StopIteration as stop:
                return stop.value
            error = None
            self.passed += 1
            if self.passed == self._number:
                self._act(waited)
            try:
                yield waited
            except BaseException as thrown:
                error = thrown


class Way(ABC):
    """Runs a coroutine and stops it at a suspension; ``ends`` are the exceptions that come of it."""

    ends = (asyncio.CancelledError,)

    async def run(self, coroutine, number):
        """Run it; return its suspensions if it was not stopped."""
        self.stepped = Stepped(coroutine, number, self.stop)
        return await self.stepped

    @abstractmethod
    def stop(self, waited):
        """Stop the task, which waits for this."""


class Cancelled(Way):
    """A task is cancelled while it waits."""

    def stop(self, waited):
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)


class CancelledLate(Way):
    """A task is cancelled when what it waits for is there, before it runs: the result is lost."""

    def stop(self, waited):
        cancel = asyncio.current_task().cancel
        if waited is None:
            asyncio.get_running_loop().call_soon(cancel)
        else:
            waited.add_done_callback(lambda _: cancel())


class CancelledTwice(Cancelled):
    """A task is cancelled again at the next suspension, while it ends."""

    async def run(self, coroutine, number):
        return await super().run(Stepped(coroutine, number + 1, self.stop), number)


class TimedOut(Way):
    """``asyncio.timeout`` ends."""

    ends = (TimeoutError,)

    async def run(self, coroutine, number):
        async with asyncio.timeout(None) as self._limit:
            return await super().run(coroutine, number)

    def stop(self, waited):
        self._limit.reschedule(0)


class OfGroup(Way):
    """Another task of a ``TaskGroup`` fails."""

    ends = (ExceptionGroup,)

    async def run(self, coroutine, number):
        self._failing = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:

            async def fail():
                await self._failing

            other = group.create_task(fail())
            try:
                return await super().run(coroutine, number)
            finally:
                other.cancel()

    def stop(self, waited):
        self._failing.set_exception(LookupError())


class OfScope(Way):
    """A scope of anyio is cancelled, which cancels each later wait in it too."""

    ends = ()

    async def run(self, coroutine, number):
        with anyio.CancelScope() as self._scope:
            return await super().run(coroutine, number)

    def stop(self, waited):
        self._scope.cancel()


WAYS = [Cancelled, CancelledLate, CancelledTwice, TimedOut, OfGroup, OfScope]
