"""Watches that yield the states of a run and raise the error of a run that has not succeeded."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import PollFailed, WatchItem
from comfydeploy.result import Failure, unwrap

if TYPE_CHECKING:
    from comfydeploy.watching import AsyncRunWatch, RunWatch


class RaisingWatch(Iterator[WorkflowRunModel]):
    """The states of a run as they change; see ``RunWatch``. A poll that failed is left out, and is retried."""

    def __init__(self, watch: "RunWatch") -> None:
        self._watch = watch

    def __repr__(self) -> str:
        return repr(self._watch)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self._watch._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage] - the name that notebooks call

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._watch.run_id

    @property
    def run(self) -> WorkflowRunModel | None:
        """The last state of the run that was read."""
        return self._watch.run

    def __next__(self) -> WorkflowRunModel:
        item = next(self._watch)
        while _is_passing(item):
            item = next(self._watch)
        return unwrap(item)

    def close(self) -> None:
        """End the watch; the run itself goes on."""
        self._watch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncRaisingWatch(AsyncIterator[WorkflowRunModel]):
    """The states of a run for ``async with`` and ``async for``; see ``RaisingWatch``."""

    def __init__(self, watch: "AsyncRunWatch") -> None:
        self._watch = watch

    def __repr__(self) -> str:
        return repr(self._watch)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self._watch._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage] - the name that notebooks call

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._watch.run_id

    @property
    def run(self) -> WorkflowRunModel | None:
        """The last state of the run that was read."""
        return self._watch.run

    async def __anext__(self) -> WorkflowRunModel:
        item = await anext(self._watch)
        while _is_passing(item):
            item = await anext(self._watch)
        return unwrap(item)

    async def aclose(self) -> None:
        """End the watch; the run itself goes on."""
        await self._watch.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _is_passing(item: WatchItem) -> bool:
    """Check whether an item of a watch is a failed poll, after which the watch goes on."""
    return isinstance(item, Failure) and isinstance(item.failure(), PollFailed)
