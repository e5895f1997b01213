"""The events of a run, as server-sent events."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True)
class Event:
    """One server-sent event: its name, if it has one, and its JSON data."""

    name: Literal["event_update", "log_update"] | None
    data: dict[str, Any]

    def encoded(self) -> bytes:
        """Return the bytes of the event."""
        name = f"event: {self.name}\n" if self.name else ""
        return f"{name}data: {json.dumps(self.data)}\n\n".encode()


@dataclass(frozen=True)
class Fragment:
    """A piece of an event."""

    data: bytes

    def encoded(self) -> bytes:
        """Return the bytes of the piece."""
        return self.data


def update(kind: str, data: Any = None) -> Event:
    """Create an ``event_update``; without data the event has none."""
    return Event("event_update", {"event": kind} if data is None else {"event": kind, "data": data})


EventQueue: TypeAlias = asyncio.Queue[Event | Fragment | None]
Listener: TypeAlias = Callable[[Event | Fragment | None], None]
"""Takes the events of a run and, at its end, ``None``."""
