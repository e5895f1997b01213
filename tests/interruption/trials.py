"""One trial: some work is interrupted at one point, and what it leaves is examined."""

import asyncio
import gc
import os
import signal
import sys
import threading
from contextlib import contextmanager

import httpx
from census import Census, tasks_left
from interrupt_points import run_to
from work import World

from comfydeploy import RequestOptions, Success
from comfydeploy.errors import ComfyDeployError
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_sync import run_sync, run_sync_async

AT_ONCE = RequestOptions(timeout=httpx.Timeout(5, pool=0))
"""Limits of a call that finds its place free."""

PATIENT = RequestOptions(timeout=httpx.Timeout(5))

_DOUBT = "A run may have been created"


def counted(work, server, folder, *, everywhere=False):
    """Do some work twice, since the first time loads what it needs; return the number of its points."""
    for number in (1, 2):
        world = World(server, folder)
        world.clear()
        with world.core:
            points = run_to(0, lambda world=world: work.do(world), everywhere=everywhere and number == 2)
    return points


class Trial:
    """The world of one trial, and what is wrong after it."""

    def __init__(self, work, server, folder):
        self.work = work
        self.world = World(server, folder)
        self.world.clear()
        server.forget()
        self.faults = []
        self.is_ignored = False
        """Whether Python has ignored the interrupt, since it came in a finalizer."""
        self.is_late = False
        """Whether a place was free only after a collection: a response and its stream in httpx refer to each other."""
        self._census = Census()

    def interrupt(self, number, *, everywhere=False):
        """Interrupt the work as Ctrl-C does at a point; return the points that it passed."""
        passed = number
        with self._watched():
            try:
                passed = run_to(number, lambda: self.work.do(self.world), everywhere=everywhere)
                if passed == number and not self.is_ignored:
                    self.faults.append("the interrupt was swallowed")
            except KeyboardInterrupt as error:
                self._check_notes(error)
            except Exception as error:
                self.faults.append(f"raised {error!r} caused by {error.__cause__!r}")
            self._check_use()
            self.world.core.close()
            self._check_rest()
        return passed

    def close(self, number):
        """Close the core in another thread at a point; return the points that the work passed."""
        passed = number

        def close():
            closing = threading.Thread(target=self.world.core.close)
            closing.start()
            closing.join(0.05)  # the work may hold the lock that it needs

        with self._watched():
            try:
                passed = run_to(number, lambda: self.work.do(self.world), close)
            except ComfyDeployError as error:
                self._check_fate(getattr(error, "fate", None))
            except Exception as error:
                self.faults.append(f"raised {error!r}")
            self.world.core.close()
            self._check_rest()
        return passed

    def fork(self, number):
        """Fork at a point; the child uses the core, and the work goes on. Return the points that it passed."""

        def fork():
            child = os.fork()
            if child == 0:
                sys.settrace(None)
                signal.alarm(30)
                os._exit(not isinstance(run_get(self.world.core, "made", AT_ONCE), Success))
            if os.waitpid(child, 0)[1]:
                self.faults.append("the child could not use the core")

        with self._watched():
            passed = run_to(number, lambda: self.work.do(self.world), fork)
            self._check_use()
            self.world.core.close()
            self._check_rest()
        return passed

    def drop(self):
        """Read one item and drop the iterator, unclosed."""
        with self._watched():
            self.work.begin(self.world)
            gc.collect()
            self._check_use()
            self.world.core.close()
            self._check_rest()

    async def drop_async(self):
        """Read one item and drop the iterator, unclosed, async."""
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.faults.append(f"of the loop: {context}")
        )
        await self.work.begin_async(self.world)
        gc.collect()
        self.faults += await tasks_left()
        await self._check_use_async()
        await self.world.core.aclose()
        self.faults += await tasks_left()

    def _check_fate(self, fate):
        """Compare the fate of a single request with what the server knows."""
        if fate == "not_sent" and self.world.server.requests:
            self.faults.append("not sent, but received")
        if fate == "answered" and not self.world.server.requests:
            self.faults.append("answered, but never received")

    def cancel(self, way, number):
        """Stop the work at a suspension in one of the ways; return the suspensions that it passed."""
        with self._watched():
            passed = asyncio.run(self._cancelled(way(), number))
            self._check_rest()
        return passed

    async def _cancelled(self, way, number):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.faults.append(f"of the loop: {context}"))
        ended = False
        try:
            await asyncio.create_task(way.run(self.work.do_async(self.world), number))
            ended = True
        except way.ends as error:
            self._check_notes(error)
        except Exception as error:
            self.faults.append(f"raised {error!r} caused by {error.__cause__!r}")
        if ended and way.ends and way.stepped.passed >= number:
            self.faults.append("the cancellation was swallowed")
        await self._check_use_async()
        await self.world.core.aclose()
        self.faults += await tasks_left()
        return way.stepped.passed

    @contextmanager
    def _watched(self):
        hook, sys.unraisablehook = sys.unraisablehook, self._note
        try:
            yield
        finally:
            sys.unraisablehook = hook

    def _note(self, unraisable):
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            self.is_ignored = True
        else:
            self.faults.append(f"ignored {unraisable.exc_value!r} in {unraisable.object!r}")

    def _check_notes(self, error):
        if isinstance(error, ExceptionGroup):  # a group keeps no cancellation, nor its notes
            return
        notes = getattr(error.__cause__ if isinstance(error, TimeoutError) else error, "__notes__", [])
        created = self.world.server.created
        named = [note.removeprefix("The run is ") for note in notes if note.startswith("The run is ")]
        if set(named) - {*created, "made"}:
            self.faults.append(f"names a run that does not exist: {notes}")
        if created and self.work.follows and not named and not any(_DOUBT in note for note in notes):
            self.faults.append("a run exists, and the interrupt does not say so")

    def _check_use(self):
        """Check that the core still has its place for a short call, and that for a long one."""
        options = PATIENT if self.work.name == "run_map" else AT_ONCE  # a map ends in its own time, in its threads
        for call, argument in ((run_get, "made"), (run_sync, {"deployment_id": "d"})):
            result = call(self.world.core, argument, options)
            if not isinstance(result, Success):
                gc.collect()
                self.is_late = True
                result = call(self.world.core, argument, options)
            if not isinstance(result, Success):
                self.faults.append(f"afterwards: {result.failure()!r}")

    async def _check_use_async(self):
        for call, argument in ((run_get_async, "made"), (run_sync_async, {"deployment_id": "d"})):
            result = await call(self.world.core, argument, AT_ONCE)
            if not isinstance(result, Success):
                self.faults.append(f"afterwards: {result.failure()!r}")

    def _check_rest(self):
        if not self.world.server.is_left(0.5):
            gc.collect()
            self.is_late = True
            if not self.world.server.is_left():
                self.faults.append("a connection is open")
        self.faults += self._census.surplus()
        partial = {name: size for name, size in self.world.files.items() if name.endswith(".part")}
        if partial:
            self.faults.append(f"files left: {partial}")
