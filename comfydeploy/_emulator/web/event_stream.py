"""The response that carries the events of a run."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comfydeploy._emulator.runs.events import EventQueue


class EventStream(Response):
    """A response that sends the events of a queue until ``None`` comes or the client disconnects.

    ``on_disconnect`` is awaited when the client disconnects before the end.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: EventQueue,
        streams: "set[EventStream]",
        on_disconnect: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events: Final = events
        self._streams: Final = streams
        self._on_disconnect: Final = on_disconnect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send each event as soon as it is in the queue."""
        disconnect = asyncio.create_task(self._watch(receive))
        self._streams.add(self)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while not disconnect.done() and (event := await self._events.get()):
                await send({"type": "http.response.body", "body": event.encoded(), "more_body": True})
                # Other tasks run between two events, and a disconnect is noticed, however many events are queued.
                await asyncio.sleep(0)
            if disconnect.done():
                await self._disconnected()
            await send({"type": "http.response.body", "body": b""})
        except Exception:
            # The response was broken off, so that the client receives nothing more.
            await self._disconnected()
            raise
        finally:
            self._streams.remove(self)
            disconnect.cancel()

    def end(self) -> None:
        """End the stream after the events that are queued."""
        self._events.put_nowait(None)

    async def _disconnected(self) -> None:
        if self._on_disconnect:
            await self._on_disconnect()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end()
