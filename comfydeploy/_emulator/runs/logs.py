"""The log of a run."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from comfydeploy._emulator.clock import to_milliseconds
from comfydeploy._emulator.runs.events import Event, EventQueue


class LogLine(BaseModel):
    """One line of a log."""

    model_config = ConfigDict(frozen=True)

    message: str
    moment: datetime
    level: str = "info"

    def run_event(self) -> Event:
        """Return the event of the run's stream."""
        stamp = self.moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
        return Event("log_update", {"logs": self.message, "timestamp": stamp})

    def log_event(self) -> Event:
        """Return the event of the log stream."""
        stamp = to_milliseconds(self.moment)
        return Event(None, {"message": self.message, "level": self.level, "timestamp": stamp})

    def archive_json(self, run_id: str) -> dict[str, Any]:
        """Return the line as the archive has it, without user and level."""
        return {
            "run_id": run_id,
            "timestamp": to_milliseconds(self.moment),
            "log": self.message,
            "user_id": None,
            "org_id": None,
            "log_type": None,
        }


class Log:
    """The log of a run in progress, and the queues that follow it."""

    def __init__(self) -> None:
        self.lines: Final[list[LogLine]] = []
        self._followers: Final[list[EventQueue]] = []

    def add(self, line: LogLine) -> None:
        """Add a line."""
        self.lines.append(line)
        for follower in self._followers:
            follower.put_nowait(line.log_event())

    def follow(self) -> EventQueue:
        """Return a queue of the lines so far and of all later ones."""
        follower = queued(self.lines)
        self._followers.append(follower)
        return follower

    def end(self) -> None:
        """End the queues that follow the log."""
        for follower in self._followers:
            complete(follower, "sentinel")


def archive_of(lines: list[LogLine]) -> EventQueue:
    """Return a queue of the lines of a run that has ended."""
    archive = queued(lines)
    complete(archive, "archive")
    return archive


def queued(lines: list[LogLine]) -> EventQueue:
    """Return a queue of these lines."""
    queue = EventQueue()
    for line in lines:
        queue.put_nowait(line.log_event())
    return queue


def complete(queue: EventQueue, source: Literal["archive", "sentinel"]) -> None:
    """Add the end marker to a queue of lines."""
    queue.put_nowait(Event(None, {"type": "stream_complete", "source": source}))
    queue.put_nowait(None)
