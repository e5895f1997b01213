"""The items of a map as iterators, blocking and async."""

import os
from _thread import allocate_lock
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from threading import RLock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import finalize

from comfydeploy._drivers.maps.engine import Engine
from comfydeploy._drivers.maps.items import failed_map
from comfydeploy._mapping.schedule import Order
from comfydeploy.mapping import MapItem

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from concurrent.futures import Future

__all__ = ["AsyncRunMap", "RunMap"]


class _Loop:
    """An engine in the event loop of its own thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop: AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._pending: Future[list[MapItem]] | None = None
        self._closing: Task[None] | None = None
        self._is_closed = False
        self._is_serving = False
        self._process = os.getpid()
        self._beginning = allocate_lock()

    def batch(self) -> list[MapItem]:
        """Return the waiting items. A call that was interrupted loses nothing: the next one goes on."""
        from asyncio import new_event_loop, run_coroutine_threadsafe

        if self._is_closed:
            return []
        if self._process != os.getpid():
            self._is_closed = True
            return [failed_map(RuntimeError("a map goes on in the process that made it, not in a fork"))]
        if self._loop is None:
            loop = new_event_loop()
            self._thread = Thread(target=self._serve, args=(loop,), name="comfydeploy-map", daemon=True)
            self._loop = loop  # from here on `close` ends both
            self._thread.start()
        if self._pending is None:
            self._pending = run_coroutine_threadsafe(self._engine.batch(), self._loop)
        batch = self._pending.result()
        self._pending = None
        return batch

    def close(self) -> None:
        """End the engine, and then its loop; this may be interrupted and called again."""
        self._is_closed = True
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or self._process != os.getpid():
            return
        with self._beginning:
            if not self._is_serving:  # a Ctrl-C before the thread has begun
                loop.close()
                return
        self.abandon()
        thread.join()

    def abandon(self) -> None:
        """End the engine and its loop without waiting."""
        loop = self._loop
        if loop is not None and self._process == os.getpid():
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._begin_closing)

    def _begin_closing(self) -> None:
        if self._loop is not None and self._closing is None:
            self._closing = self._loop.create_task(self._end(self._loop))

    async def _end(self, loop: "AbstractEventLoop") -> None:
        from asyncio import wait, wrap_future

        try:
            await self._engine.close()
            if self._pending is not None:  # a read in another thread, which ends now
                await wait([wrap_future(self._pending)])
        finally:
            loop.stop()

    def _serve(self, loop: "AbstractEventLoop") -> None:
        with self._beginning:
            if loop.is_closed():
                return
            self._is_serving = True
        is_over = False
        while not is_over:
            try:
                loop.run_forever()
                is_over = True
            except (KeyboardInterrupt, SystemExit):  # of the caller's jobs: the map ends, and the next read raises it
                continue
        loop.close()


class RunMap(Iterator[MapItem]):
    """The items of a map as its jobs end: a context manager and an iterator.

    The map goes on in its own thread while the items are used, as long as there is room for more. Leaving the
    ``with`` block early creates no more runs, and leaves those that exist to be resumed with the same journal. A read
    that was interrupted, as by Ctrl-C, loses nothing: the next one goes on.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._items: deque[MapItem] = deque()
        self._loop = _Loop(engine)
        self._reading = RLock()  # several threads may share the items
        self._finalizer = finalize(self, self._loop.abandon)

    @property
    def twins(self) -> list[tuple[str, tuple[str, ...]]]:
        """The keys with more than one run, each with the ids of its runs: report them to the service."""
        return self._engine.twins

    def __next__(self) -> MapItem:
        with self._reading:
            if not self._items:
                self._items.extend(self._loop.batch())
            if not self._items:
                self.close()
                raise StopIteration
            return self._items.popleft()

    def in_order(self) -> Iterator[MapItem]:
        """Yield the items in the order of the jobs; those that end early wait."""
        order = Order()
        for item in self:
            yield from order.put(item)
        yield from order.rest()

    def close(self) -> None:
        """End the map; runs that exist go on, and are resumed with the same journal."""
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncRunMap(AsyncIterator[MapItem]):
    """The async ``RunMap``, for ``async with`` and ``async for``, in the running event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._items: deque[MapItem] = deque()
        self._finalizer = finalize(self, engine.abandon)

    @property
    def twins(self) -> list[tuple[str, tuple[str, ...]]]:
        """The keys with more than one run, each with the ids of its runs: report them to the service."""
        return self._engine.twins

    async def __anext__(self) -> MapItem:
        if not self._items:
            self._items.extend(await self._engine.batch())
        if not self._items:
            await self.aclose()
            raise StopAsyncIteration
        return self._items.popleft()

    async def in_order(self) -> AsyncIterator[MapItem]:
        """Yield the items in the order of the jobs; those that end early wait."""
        order = Order()
        async for item in self:
            for ready in order.put(item):
                yield ready
        for ready in order.rest():
            yield ready

    async def aclose(self) -> None:
        """End the map; runs that exist go on, and are resumed with the same journal."""
        await self._engine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
