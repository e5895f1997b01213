"""Lists that come in pages: a call for each page, made when the page is wanted."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import evolve, frozen

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.operation import Operation
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error, SDKValidationError
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Result, Success

T = TypeVar("T")
Page: TypeAlias = Result[list[T], Error]


@frozen
class Place(Generic[T]):
    """Where the next page begins, and what is asked for beside ``limit`` and ``offset``."""

    asked: Mapping[str, Any]
    limit: int
    offset: int
    before: list[T] | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What to ask for."""
        return {**self.asked, "limit": self.limit, "offset": self.offset}

    def turned(self, page: Page[T]) -> tuple[Page[T] | None, "Place[T] | None"]:
        """Give what to show of a page, and the place of the one behind it."""
        if not isinstance(page, Success):
            return page, None
        rows = page.unwrap()
        if not rows:
            return None, None
        if rows == self.before:  # for ever, if this went on
            reason = "The server sent the same page twice: it passes over no rows"
            return Failure(SDKValidationError(reason, (), rows, "answered")), None
        behind = evolve(self, offset=self.offset + self.limit, before=rows)
        return page, behind if len(rows) >= self.limit else None


def pages(
    core: ComfyDeployCore,
    operation: Operation[Mapping[str, Any], list[T]],
    place: Place[T],
    options: RequestOptions | None,
) -> Iterator[Page[T]]:
    """Give the pages from a place on; a ``Failure`` is the last."""
    behind: Place[T] | None = place
    while behind:
        page, behind = behind.turned(call(core, operation, behind.parameters, options))
        if page is not None:
            yield page


async def pages_async(
    core: ComfyDeployCore,
    operation: Operation[Mapping[str, Any], list[T]],
    place: Place[T],
    options: RequestOptions | None,
) -> AsyncIterator[Page[T]]:
    """Give the pages from a place on, for ``async for``; a ``Failure`` is the last."""
    behind: Place[T] | None = place
    while behind:
        page, behind = behind.turned(await call_async(core, operation, behind.parameters, options))
        if page is not None:
            yield page
