"""Server-sent events out of bytes, without I/O: linear in the bytes, whatever the chunks."""

import re
from typing import Final, TypeAlias

# One pass: a whole event as the server writes them, or any other line. Possessive, so no byte is gone back over.
_PIECE: Final = re.compile(r"event: ?+([^ \n].*+)\ndata: ?+(.*+)\n\n|(.*+)\n")
# An unknown field is passed over, as the standard says, where it can be one. A comment has an empty name.
_FIELD: Final = re.compile(r"[A-Za-z][\w-]{0,31}|", re.ASCII)
# What remains of a broken event may be glued to the name of the one behind it.
_GLUED: Final = re.compile(r"(.+)event: (\w+)", re.ASCII)
_BOM: Final = "\ufeff"

ServerSentEvent: TypeAlias = tuple[str, str]
"""The name and the data of one event. The name is empty for text that is no field of any event."""


class SSEDecoder:
    """Cuts a stream into events.

    Lines end with LF, CR or CRLF and with nothing else. Bytes that are no UTF-8 are replaced. Text that can be no field
    is what remains of an event that the server broke in two: it is given as an event without a name, not dropped.
    """

    def __init__(self) -> None:
        self._unfinished: list[bytes] = []
        self._at_start = True
        self._after_cr = False
        self._name = ""
        self._data: list[str] = []
        self._strays: list[str] = []

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and give the events that they complete."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = chunk.rfind(b"\n") + 1
        if not end:
            if chunk:
                self._unfinished.append(chunk)
            return []
        self._unfinished.append(chunk[:end])
        lines = b"".join(self._unfinished).decode("utf-8", "replace")
        self._unfinished = [chunk[end:]] if end < len(chunk) else []
        return self._events(lines)

    def finish(self) -> list[ServerSentEvent]:
        """Give what the end of the stream left unfinished, if it amounts to an event."""
        tail = b"".join(self._unfinished).decode("utf-8", "replace")
        self._unfinished = []
        return self._events(tail + "\n\n")

    def _events(self, lines: str) -> list[ServerSentEvent]:
        if self._at_start:
            self._at_start = False
            lines = lines.removeprefix(_BOM)
        events: list[ServerSentEvent] = []
        waiting, strays = self._data, self._strays
        for name, data, line in _PIECE.findall(lines):
            if not name:
                self._line(line, events)
            elif waiting or strays:  # it goes on with an event that was broken off
                self._name = name
                waiting.append(data)
                self._end_block(events)
            else:
                self._name = ""
                events.append((name, data))
        return events

    def _line(self, line: str, events: list[ServerSentEvent]) -> None:
        field, _, value = line.partition(":")
        if not line:
            self._end_block(events)
        elif field == "data":
            self._data.append(value.removeprefix(" "))
        elif field == "event":
            self._name = value.removeprefix(" ")
        elif glued := _GLUED.fullmatch(line):
            self._strays.append(glued[1])
            self._name = glued[2]
        elif not _FIELD.fullmatch(field):
            self._strays.append(line)

    def _end_block(self, events: list[ServerSentEvent]) -> None:
        if self._strays:
            events.append(("", "\n".join(self._strays)))
            self._strays.clear()
        if self._data:
            events.append((self._name or "message", "\n".join(self._data)))
            self._data.clear()
        self._name = ""
