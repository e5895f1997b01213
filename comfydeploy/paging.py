"""Lists that come page by page: an iterator of pages, or of their rows."""

from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

from comfydeploy.errors import Error
from comfydeploy.result import Failure, Result, Success

__all__ = ["AsyncPages", "Pages"]

T = TypeVar("T")


class Pages(Iterator[Result[list[T], Error]], Generic[T]):
    """The pages of a list: ``Success(rows)`` for each; a ``Failure`` is the last item.

    Each page is read when it is taken. ``rows()`` yields the rows of all pages, one by one.
    """

    def __init__(self, pages: Iterator[Result[list[T], Error]]) -> None:
        self._pages = pages

    def __next__(self) -> Result[list[T], Error]:
        return next(self._pages)

    def rows(self) -> Iterator[Result[T, Error]]:
        """Yield ``Success(row)`` for each row of the pages that are left; a ``Failure`` is the last item.

        Rows that are created meanwhile move the others, so that a row may come twice.
        """
        for page in self._pages:
            if isinstance(page, Failure):
                yield page
            else:
                yield from map(Success, page.unwrap())


class AsyncPages(AsyncIterator[Result[list[T], Error]], Generic[T]):
    """The pages of a list for ``async for``; see ``Pages``."""

    def __init__(self, pages: AsyncIterator[Result[list[T], Error]]) -> None:
        self._pages = pages

    async def __anext__(self) -> Result[list[T], Error]:
        return await anext(self._pages)

    async def rows(self) -> AsyncIterator[Result[T, Error]]:
        """Yield ``Success(row)`` for each row of the pages that are left; see ``Pages.rows``."""
        async for page in self._pages:
            if isinstance(page, Failure):
                yield page
            else:
                for row in page.unwrap():
                    yield Success(row)
