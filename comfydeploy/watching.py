"""The states of a watched run, blocking and async."""

from _thread import allocate_lock
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from comfydeploy.errors import UnexpectedClientError
from comfydeploy.result import Failure, Result

if TYPE_CHECKING:
    from comfydeploy._wire.follower import Follower
    from comfydeploy.models.run import WorkflowRunModel
    from comfydeploy.outcome import WaitError, WatchItem

__all__ = ["AsyncRunWatch", "RunWatch"]

_SECOND_WATCHER: Final = "The run is being watched already: read a watch in one thread or task at a time"


class _Watch:
    """The common part of blocking and async watches."""

    def __init__(self, follower: "Follower", leave: Callable[[], None]) -> None:
        self._follower = follower
        self._leave = leave
        self._is_over = False
        self._reader = allocate_lock()
        """Held while a reader waits for an item: the steps of two readers would mix."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(run_id={self.run_id!r}, status={self.run.status if self.run else None!r})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from comfydeploy._display.bundle import watch_bundle

        return watch_bundle(type(self).__name__, self.run_id, self.run, self.result)

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._follower.run_id

    @property
    def run(self) -> "WorkflowRunModel | None":
        """The last state of the run that was read."""
        return self._follower.run

    @property
    def result(self) -> "Result[WorkflowRunModel, WaitError] | None":
        """The end of the run, or ``None`` before it."""
        return self._follower.result

    def _refused_reader(self) -> "WatchItem":
        return Failure(UnexpectedClientError(_SECOND_WATCHER, "answered", run_id=self.run_id))


class RunWatch(_Watch, Iterator["WatchItem"]):
    """The states of a run as they change: a context manager and an iterator.

    ``Success(run)`` is a change, ``Failure(PollFailed(error))`` a poll that failed and is repeated, and the last
    item is the end of the run. A read that was interrupted loses nothing: the next one goes on. Leaving the watch
    does not cancel the run. One thread reads at a time: a second one receives an ``UnexpectedClientError``.
    """

    def __init__(self, follower: "Follower", next_item: "Callable[[], WatchItem]", leave: Callable[[], None]) -> None:
        super().__init__(follower, leave)
        self._next_item = next_item

    def __next__(self) -> "WatchItem":
        if self._is_over:
            raise StopIteration
        if not self._reader.acquire(blocking=False):
            return self._refused_reader()
        try:
            item = self._next_item()
        finally:
            self._reader.release()
        self._is_over = item is self.result
        return item

    def close(self) -> None:
        """End the watch; the run itself goes on."""
        self._is_over = True
        self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncRunWatch(_Watch, AsyncIterator["WatchItem"]):
    """The states of a run as they change, for ``async with`` and ``async for``; see ``RunWatch``."""

    def __init__(
        self, follower: "Follower", next_item: "Callable[[], Awaitable[WatchItem]]", leave: Callable[[], None]
    ) -> None:
        super().__init__(follower, leave)
        self._next_item = next_item

    async def __anext__(self) -> "WatchItem":
        if self._is_over:
            raise StopAsyncIteration
        if not self._reader.acquire(blocking=False):
            return self._refused_reader()
        try:
            item = await self._next_item()
        finally:
            self._reader.release()
        self._is_over = item is self.result
        return item

    async def aclose(self) -> None:
        """End the watch; the run itself goes on."""
        self._is_over = True
        self._leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
