"""The events of a run and the event stream that carries them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True)
class Event:
    """One server-sent event: its name, if it has one, and its JSON data."""

    name: Literal["event_update", "log_update"] | None
    data: dict[str, Any]

    def encoded(self) -> bytes:
        """Write the event as it goes over the wire."""
        name = f"event: {self.name}\n" if self.name else ""
        return f"{name}data: {json.dumps(self.data)}\n\n".encode()


@dataclass(frozen=True)
class Fragment:
    """A piece of an event."""

    written: bytes

    def encoded(self) -> bytes:
        """Write the piece as it is."""
        return self.written


def update(kind: str, data: Any = None) -> Event:
    """Make an event that tells of the run; without data it has none."""
    return Event("event_update", {"event": kind} if data is None else {"event": kind, "data": data})


EventQueue: TypeAlias = asyncio.Queue[Event | Fragment | None]
Tell: TypeAlias = Callable[[Event | Fragment | None], None]
"""Hears the events of a run and, at its end, ``None``."""


class EventStream(Response):
    """The answer that sends the events of a queue until ``None`` comes, or the client leaves: then ``when_left``."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: EventQueue,
        streams: "set[EventStream]",
        when_left: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events: Final = events
        self._streams: Final = streams
        self._when_left: Final = when_left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send the events as they come."""
        leaving = asyncio.create_task(self._end_when_left(receive))
        self._streams.add(self)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while not leaving.done() and (event := await self._events.get()):
                await send({"type": "http.response.body", "body": event.encoded(), "more_body": True})
                # However many events wait, others have their turn, and a client that left is noticed.
                await asyncio.sleep(0)
            if leaving.done():
                await self._leave()
            await send({"type": "http.response.body", "body": b""})
        except Exception:
            # Broken off, so that nobody listens any more either.
            await self._leave()
            raise
        finally:
            self._streams.remove(self)
            leaving.cancel()

    def end(self) -> None:
        """Send no more than what waits to be sent."""
        self._events.put_nowait(None)

    async def _leave(self) -> None:
        if self._when_left:
            await self._when_left()

    async def _end_when_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end()
