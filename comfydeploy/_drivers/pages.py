"""Lists in pages: one call for each page, made when the page is needed."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import evolve, frozen

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error, SDKValidationError
from comfydeploy.models.document import Documents
from comfydeploy.options import RequestOptions
from comfydeploy.paging import AsyncPages, Pages
from comfydeploy.result import Failure, Result, Success

T = TypeVar("T")
Page: TypeAlias = Result[list[T], Error]


@frozen
class PageCursor(Generic[T]):
    """The parameters of a list, and where its next page begins."""

    fixed: Mapping[str, Any]
    limit: int
    offset: int
    before: Sequence[Any] | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters of the next page."""
        return {**self.fixed, "limit": self.limit, "offset": self.offset}

    def advance(self, page: Page[T]) -> tuple[Page[T] | None, "PageCursor[T] | None"]:
        """Return the page to yield, if it has rows, and the cursor of the one after it."""
        if not isinstance(page, Success):
            return page, None
        rows = page.unwrap()
        sent = rows.raw if isinstance(rows, Documents) else rows  # also those that cannot be read
        if not sent:
            return None, None
        if sent == self.before:  # without this check the list would never end
            reason = "The server sent the same page twice: it ignores the offset"
            return Failure(SDKValidationError(reason, (), sent, "answered")), None
        after = evolve(self, offset=self.offset + self.limit, before=sent)
        return page, after if len(sent) >= self.limit else None


def pages(
    core: ComfyDeployCore,
    operation: Operation[Mapping[str, Any], list[T]],
    cursor: PageCursor[T],
    options: RequestOptions | None,
) -> Pages[T]:
    """Return the pages from a cursor on; a ``Failure`` is the last."""
    return Pages(_each_page(core, operation, cursor, options))


def pages_async(
    core: ComfyDeployCore,
    operation: Operation[Mapping[str, Any], list[T]],
    cursor: PageCursor[T],
    options: RequestOptions | None,
) -> AsyncPages[T]:
    """Return the pages from a cursor on, for ``async for``; a ``Failure`` is the last."""
    return AsyncPages(_each_page_async(core, operation, cursor, options))


def _each_page(
    core: ComfyDeployCore,
    operation: Operation[Mapping[str, Any], list[T]],
    cursor: PageCursor[T] | None,
    options: RequestOptions | None,
) -> Iterator[Page[T]]:
    while cursor:
        page, cursor = cursor.advance(call(core, operation, cursor.parameters, options))
        if page is not None:
            yield page


async def _each_page_async(
    core: ComfyDeployCore,
    operation: Operation[Mapping[str, Any], list[T]],
    cursor: PageCursor[T] | None,
    options: RequestOptions | None,
) -> AsyncIterator[Page[T]]:
    while cursor:
        page, cursor = cursor.advance(await call_async(core, operation, cursor.parameters, options))
        if page is not None:
            yield page
