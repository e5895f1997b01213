"""Streams that yield events and raise what goes wrong."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self

from comfydeploy.models.run_stream import RunStream
from comfydeploy.result import unwrap
from comfydeploy.streaming import AsyncEventStream, EventStream


class Events(Iterator[RunStream]):
    """The events of a run as they happen; a failure item of the stream is raised.

    A ``MalformedEvent`` that is raised out of a loop ends the loop and closes the connection. To go on after one,
    call ``next(events)`` in place of the loop.
    """

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream

    @property
    def run_id(self) -> str | None:
        """The id of the run, as soon as an event that was read names it."""
        return self._stream.run_id

    def __next__(self) -> RunStream:
        return unwrap(next(self._stream))

    def __iter__(self) -> Iterator[RunStream]:  # noqa: PYI034 - a generator, which its loop closes
        return map(unwrap, iter(self._stream))

    def close(self) -> None:
        """Close the connection at once; the run itself goes on."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncEvents(AsyncIterator[RunStream]):
    """The twin of ``Events`` for ``async with`` and ``async for``."""

    def __init__(self, stream: AsyncEventStream) -> None:
        self._stream = stream

    @property
    def run_id(self) -> str | None:
        """The id of the run, as soon as an event that was read names it."""
        return self._stream.run_id

    async def __anext__(self) -> RunStream:
        return unwrap(await anext(self._stream))

    async def __aiter__(self) -> AsyncIterator[RunStream]:
        try:
            async for item in self._stream:
                yield unwrap(item)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection at once; the run itself goes on."""
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
