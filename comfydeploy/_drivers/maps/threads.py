"""Threads in which a loop makes blocking calls.

They are daemons, because a request may take minutes and must not delay the end of the process: what was sent is in
the journal.
"""

from _thread import allocate_lock
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

P = ParamSpec("P")
R = TypeVar("R")


class Threads:
    """A limited number of threads, each started when it is needed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = allocate_lock()
        self._count = 0
        self._idle = 0

    async def run(self, work: Callable[P, R], /, *given: P.args, **named: P.kwargs) -> R:
        """Call a function in a thread and return its result. A cancellation does not end the call."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        future: Future[R] = loop.create_future()
        context = copy_context()  # so that what is current in the caller, as a span, is current in the thread

        def call() -> None:
            if not future.cancelled():
                context.run(_answer, loop, future, work, *given, **named)

        self._start()
        self._work.put(call)
        return await future

    def close(self) -> None:
        """End the threads, each after its call."""
        with self._lock:
            for _ in range(self._count):
                self._work.put(None)

    def _start(self) -> None:
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._count < self._most:
                self._count += 1
                Thread(target=self._serve, name="comfydeploy-map", daemon=True).start()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            with self._lock:
                self._idle += 1


def _answer(
    loop: "AbstractEventLoop", future: "Future[Any]", work: Callable[..., Any], *given: Any, **named: Any
) -> None:
    try:
        result, error = work(*given, **named), None
    except BaseException as raised:  # noqa: BLE001 - it is raised in the loop
        result, error = None, raised

    def settle() -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop is closed: the map was left meanwhile
        return
