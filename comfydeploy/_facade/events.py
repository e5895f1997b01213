"""Streams that yield events and raise errors."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.outcome import RunFailed
    from comfydeploy.streaming import AsyncItemStream, ItemStream

T = TypeVar("T")


class RaisingStream(Iterator[T]):
    """The items of a stream as they arrive; a failure item is raised.

    A ``MalformedEvent`` that is raised out of a loop ends the loop and closes the connection. To go on after one,
    call ``next`` in place of the loop.
    """

    def __init__(self, stream: "ItemStream[T]") -> None:
        self._stream = stream

    def __repr__(self) -> str:
        return repr(self._stream)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self._stream._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage] - the name that notebooks call

    @property
    def run_id(self) -> str | None:
        """The id of the run: set as soon as an event that was read names it."""
        return self._stream.run_id

    @property
    def failure(self) -> "RunFailed | None":
        """The reason of a failed run, set as soon as an event that was read has it."""
        return self._stream.failure

    def __next__(self) -> T:
        return unwrap(next(self._stream))

    def __iter__(self) -> Iterator[T]:  # noqa: PYI034 - a generator, which its loop closes
        return map(unwrap, iter(self._stream))

    def close(self) -> None:
        """Close the connection at once; a run itself goes on."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncRaisingStream(AsyncIterator[T]):
    """The items of a stream for ``async with`` and ``async for``; see ``RaisingStream``."""

    def __init__(self, stream: "AsyncItemStream[T]") -> None:
        self._stream = stream

    def __repr__(self) -> str:
        return repr(self._stream)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self._stream._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage] - the name that notebooks call

    @property
    def run_id(self) -> str | None:
        """The id of the run: set as soon as an event that was read names it."""
        return self._stream.run_id

    @property
    def failure(self) -> "RunFailed | None":
        """The reason of a failed run, set as soon as an event that was read has it."""
        return self._stream.failure

    async def __anext__(self) -> T:
        return unwrap(await anext(self._stream))

    async def __aiter__(self) -> AsyncIterator[T]:
        try:
            async for item in self._stream:
                yield unwrap(item)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection at once; a run itself goes on."""
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
