"""The lines of a streamed log out of bytes, without I/O."""

from typing import TypeAlias

from comfydeploy._wire.json_decoding import parsed
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.server_sent_events import ServerSentEvent, SSEDecoder
from comfydeploy._wire.timestamps import moment
from comfydeploy.errors import MalformedEvent
from comfydeploy.models.run_log import RunLogLine
from comfydeploy.models.run_stream import EventUpdate
from comfydeploy.result import Failure, Result, Success

_Item: TypeAlias = Result[RunLogLine, MalformedEvent]


class RunLogDecoder:
    """Reads the bytes of a log stream into lines; ``is_complete`` once the server sent its end mark."""

    def __init__(self) -> None:
        self._sse = SSEDecoder()
        self.is_complete = False
        self.run_id: str | None = None  # no line names it
        self.failure: EventUpdate | None = None

    def feed(self, chunk: bytes) -> list[_Item]:
        """Take the next bytes and return the lines that they complete."""
        return self._items(self._sse.feed(chunk))

    def finish(self) -> list[_Item]:
        """Return the line that the end of the stream left unfinished, if there is one."""
        return self._items(self._sse.finish())

    def _items(self, events: list[ServerSentEvent]) -> list[_Item]:
        items: list[_Item] = []
        for _, data in events:
            try:
                value = parsed(data)
            except (ValueError, RecursionError):
                value = None
            if not is_object(value):
                items.append(Failure(MalformedEvent("A line of the log cannot be read", data)))
            elif value.get("type") == "stream_complete":
                self.is_complete = True
            elif value.get("type") == "keepalive":
                pass
            elif isinstance(value.get("message"), str):
                level = value.get("level")
                line = RunLogLine(
                    message=value["message"],
                    level=level if isinstance(level, str) else None,
                    timestamp=moment(value.get("timestamp")),
                    raw=value,
                )
                items.append(Success(line))
            else:
                items.append(Failure(MalformedEvent("An event of the log holds no line", data)))
        return items
