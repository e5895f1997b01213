"""Pages that raise."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.paging import AsyncPages, Pages

T = TypeVar("T")


class RaisingPages(Iterator[list[T]], Generic[T]):
    """The pages of a list, each read when it is taken; ``rows()`` yields the rows of all pages, one by one."""

    def __init__(self, pages: "Pages[T]") -> None:
        self._pages = pages

    def __next__(self) -> list[T]:
        return unwrap(next(self._pages))

    def rows(self) -> Iterator[T]:
        """Yield the rows of the pages that are left. New rows move the others, so that a row may come twice."""
        return map(unwrap, self._pages.rows())


class AsyncRaisingPages(AsyncIterator[list[T]], Generic[T]):
    """The pages of a list for ``async for``; see ``RaisingPages``."""

    def __init__(self, pages: "AsyncPages[T]") -> None:
        self._pages = pages

    async def __anext__(self) -> list[T]:
        return unwrap(await anext(self._pages))

    async def rows(self) -> AsyncIterator[T]:
        """Yield the rows of the pages that are left; see ``RaisingPages.rows``."""
        async for row in self._pages.rows():
            yield unwrap(row)
