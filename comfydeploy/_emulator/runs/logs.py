"""The log of a run."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from comfydeploy._emulator.clock import to_milliseconds
from comfydeploy._emulator.runs.events import Event, Listener


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
    """The log of a run in progress, and the listeners that follow it."""

    def __init__(self) -> None:
        self.lines: Final[list[LogLine]] = []
        self._followers: Final[list[Listener]] = []

    def add(self, line: LogLine) -> None:
        """Add a line."""
        self.lines.append(line)
        for follower in self._followers:
            follower(line.log_event())

    def follow(self, listener: Listener) -> None:
        """Send the lines so far, and all later ones, to a listener."""
        send_lines(self.lines, listener)
        self._followers.append(listener)

    def end(self) -> None:
        """End the listeners."""
        for follower in self._followers:
            send_end(follower, "sentinel")


def send_lines(lines: list[LogLine], listener: Listener) -> None:
    """Send lines to a listener."""
    for line in lines:
        listener(line.log_event())


def send_end(listener: Listener, source: Literal["archive", "sentinel"]) -> None:
    """Send the end marker to a listener, and end it."""
    listener(Event(None, {"type": "stream_complete", "source": source}))
    listener(None)
