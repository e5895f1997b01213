"""Server-sent events, decoded from bytes, without I/O: linear in the bytes for any chunks."""

import re
from typing import Final, TypeAlias

# One pass: a whole event as the server writes them, or any other line. Possessive, so there is no backtracking.
_PIECE: Final = re.compile(r"event: ?+([^ \n].*+)\ndata: ?+(.*+)\n\n|(.*+)\n")
# An unknown field is ignored, as the standard says. A comment has an empty name.
_FIELD: Final = re.compile(r"[A-Za-z][\w-]{0,31}", re.ASCII)
_PASSED_OVER: Final = ("", "id", "retry")
# The server inserts a log event into an unfinished line of data, and the rest of that line before any
# other event: so the line of data ends with the first text, and the remaining one with either.
_PUT_IN: Final = "event: log_update"
_GLUED: Final = ("event: event_update", _PUT_IN)
_BOM: Final = "\ufeff"
# Bytes, or characters, that are kept until an event ends. What is longer is returned in parts, none of which is JSON.
LIMIT: Final = 64 * 1024 * 1024

ServerSentEvent: TypeAlias = tuple[str, str]
"""The name and the data of one event. The name is empty for text that is not a field of any event."""


class SSEDecoder:
    """Splits a stream into events.

    Lines end with LF, CR or CRLF only. Invalid UTF-8 is replaced. Names and data are those
    of the standard, with one exception: in a stream in which the server broke an event in two, the rest of it is
    separated from the name of the event after it. Text that cannot be a field is returned as an event without a name,
    not dropped, because it is the rest of an event.
    """

    def __init__(self) -> None:
        self._unfinished = bytearray()  # not parts: small ones would take many times the memory
        self._at_start = True
        self._after_cr = False
        self._name = ""
        self._data: list[str] = []
        self._strays: list[str] = []
        self._is_broken = False
        self._block_size = 0

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and return the events that they complete."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = chunk.rfind(b"\n") + 1
        self._unfinished += chunk[:end] or chunk
        events: list[ServerSentEvent] = []
        if end:
            lines = self._unfinished.decode("utf-8", "replace")
            self._unfinished = bytearray(chunk[end:])
            events = self._events(lines)
        return events + self.finish() if self._is_too_long() else events

    def finish(self) -> list[ServerSentEvent]:
        """Return the unfinished event at the end of the stream, if there is one."""
        tail = self._unfinished.decode("utf-8", "replace")
        self._unfinished = bytearray()
        return self._events(tail + "\n\n")

    def _is_too_long(self) -> bool:
        return self._block_size + len(self._unfinished) > LIMIT

    def _events(self, lines: str) -> list[ServerSentEvent]:
        if self._at_start:
            self._at_start = False
            lines = lines.removeprefix(_BOM)
        events: list[ServerSentEvent] = []
        waiting, strays = self._data, self._strays
        for name, data, line in _PIECE.findall(lines):
            if not name:
                self._line(line, events)
            elif waiting or strays:  # the rest of an event that was broken in two
                self._name = name
                self._add(data)
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
            self._add(value.removeprefix(" "))
        elif field == "event":
            self._name = value.removeprefix(" ")
        elif field in _PASSED_OVER:
            pass
        elif self._is_broken and line.endswith(_GLUED):
            remainder, _, name = line.rpartition("event: ")
            self._add_stray(remainder)
            self._name = name
        elif not _FIELD.fullmatch(field):
            self._add_stray(line)

    def _add_stray(self, text: str) -> None:
        self._strays.append(text)
        self._block_size += len(text) + 1

    def _add(self, data: str) -> None:
        # By the standard this is one event of two lines, which is not JSON: the text of both is returned.
        self._is_broken = self._is_broken or bool(self._data and self._data[-1].endswith(_PUT_IN))
        self._data.append(data)
        self._block_size += len(data) + 1

    def _end_block(self, events: list[ServerSentEvent]) -> None:
        if self._strays:
            events.append(("", "\n".join(self._strays)))
            self._strays.clear()
        if self._data:
            events.append((self._name or "message", "\n".join(self._data)))
            self._data.clear()
        self._name = ""
        self._block_size = 0
