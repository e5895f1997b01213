"""The lines that a run's container writes, and who reads them."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from comfydeploy._emulator.clock import to_milliseconds
from comfydeploy._emulator.events import Event, EventQueue


class LogLine(BaseModel):
    """One line of a log."""

    model_config = ConfigDict(frozen=True)

    message: str
    moment: datetime
    level: str = "info"

    def told(self) -> Event:
        """Tell the line as the event stream of its run does."""
        stamp = self.moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
        return Event("log_update", {"logs": self.message, "timestamp": stamp})

    def streamed(self) -> Event:
        """Tell the line as the stream of logs does."""
        stamp = to_milliseconds(self.moment)
        return Event(None, {"message": self.message, "level": self.level, "timestamp": stamp})

    def archived(self, run_id: str) -> dict[str, Any]:
        """Describe the line as the archive does, which knows neither whose it is nor of which type."""
        return {
            "run_id": run_id,
            "timestamp": to_milliseconds(self.moment),
            "log": self.message,
            "user_id": None,
            "org_id": None,
            "log_type": None,
        }


class Log:
    """The log of a run that is being played, and all who follow it."""

    def __init__(self) -> None:
        self.lines: Final[list[LogLine]] = []
        self._followers: Final[list[EventQueue]] = []

    def add(self, line: LogLine) -> None:
        """Write one more line."""
        self.lines.append(line)
        for follower in self._followers:
            follower.put_nowait(line.streamed())

    def follow(self) -> EventQueue:
        """Return a queue of the lines there are, and of all to come."""
        follower = queued(self.lines)
        self._followers.append(follower)
        return follower

    def end(self) -> None:
        """Tell all who follow that no line will come any more."""
        for follower in self._followers:
            complete(follower, "sentinel")


def archive_of(lines: list[LogLine]) -> EventQueue:
    """Return a queue of the lines of a run that has ended."""
    archive = queued(lines)
    complete(archive, "archive")
    return archive


def queued(lines: list[LogLine]) -> EventQueue:
    """Return a queue that begins with these lines."""
    queue = EventQueue()
    for line in lines:
        queue.put_nowait(line.streamed())
    return queue


def complete(queue: EventQueue, source: Literal["archive", "sentinel"]) -> None:
    """End a queue of lines, and say so."""
    queue.put_nowait(Event(None, {"type": "stream_complete", "source": source}))
    queue.put_nowait(None)
