"""The lines of a log, streamed or archived, decoded from bytes, without I/O."""

from typing import Final, TypeAlias

from attrs import evolve

from comfydeploy._wire.codec import read_list
from comfydeploy._wire.json_decoding import parsed
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.log_marks import END, without_end
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.server_sent_events import ServerSentEvent, SSEDecoder
from comfydeploy._wire.timestamps import moment
from comfydeploy.errors import MalformedEvent
from comfydeploy.models.document import Documents
from comfydeploy.models.run_log import RunLog, RunLogLine
from comfydeploy.models.run_stream import EventUpdate
from comfydeploy.result import Failure, Result, Success

_LAST: Final = ("stream_complete", "stream_unavailable")

_Item: TypeAlias = Result[RunLogLine, MalformedEvent]


class RunLogDecoder:
    """Decodes the bytes of a log stream to lines.

    ``is_complete`` once the server sent that the stream is complete, or that it is not available.
    """

    def __init__(self) -> None:
        self._sse = SSEDecoder()
        self.is_complete = False
        self.run_id: str | None = None  # no line names it, but the call does
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
            elif value.get("type") in _LAST:
                self.is_complete = True
            elif value.get("type") == "keepalive":
                pass
            elif isinstance(value.get("message"), str):
                message, level = value["message"], value.get("level")
                if END in message and (message := without_end(message)) is None:
                    continue
                line = RunLogLine(
                    message=message,
                    level=level if isinstance(level, str) else None,
                    timestamp=moment(value.get("timestamp")),
                    raw=value,
                )
                items.append(Success(line))
            else:
                items.append(Failure(MalformedEvent("An event of the log has no line", data)))
        return items


def archived_log(reply: Reply) -> list[RunLog]:
    """Read a response that is an archived log, without its end marks."""
    found = read_list(reply.json(), RunLog, "The server's response")
    cleaned = [(entry, without_end(entry.log) if END in entry.log else entry.log) for entry in found]
    lines = [evolve(entry, log=log) for entry, log in cleaned if log is not None]
    return Documents(lines, raw=found.raw)
