"""Maps that raise the error of the map itself; the result of a job is in its item."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from comfydeploy.mapping import MapItem
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.funcs.run_map import AsyncRunMap, RunMap


class RaisingMap(Iterator[MapItem]):
    """The items of a map as its jobs end; see ``RunMap``. A map that cannot go on raises its error."""

    def __init__(self, items: "RunMap") -> None:
        self._items = items

    @property
    def twins(self) -> list[tuple[str, tuple[str, ...]]]:
        """The keys with more than one run, each with the ids of its runs: report them to the service."""
        return self._items.twins

    def __next__(self) -> MapItem:
        return self._of_job(next(self._items))

    def in_order(self) -> Iterator[MapItem]:
        """Yield the items in the order of the jobs; those that end early wait."""
        return map(self._of_job, self._items.in_order())

    def _of_job(self, item: MapItem) -> MapItem:
        """Return the item of a job; raise the error of a map that cannot go on."""
        if item.index < 0:
            self.close()
            unwrap(item.result)
        return item

    def close(self) -> None:
        """End the map; runs that exist go on, and are resumed with the same journal."""
        self._items.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncRaisingMap(AsyncIterator[MapItem]):
    """The items of a map for ``async with`` and ``async for``; see ``RaisingMap``."""

    def __init__(self, items: "AsyncRunMap") -> None:
        self._items = items

    @property
    def twins(self) -> list[tuple[str, tuple[str, ...]]]:
        """The keys with more than one run, each with the ids of its runs: report them to the service."""
        return self._items.twins

    async def __anext__(self) -> MapItem:
        return await self._of_job(await anext(self._items))

    async def in_order(self) -> AsyncIterator[MapItem]:
        """Yield the items in the order of the jobs; those that end early wait."""
        async for item in self._items.in_order():
            yield await self._of_job(item)

    async def _of_job(self, item: MapItem) -> MapItem:
        if item.index < 0:
            await self.aclose()
            unwrap(item.result)
        return item

    async def aclose(self) -> None:
        """End the map; runs that exist go on, and are resumed with the same journal."""
        await self._items.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
