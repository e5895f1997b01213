"""Server-sent events out of bytes, without I/O: linear in the bytes, whatever the chunks."""

import re
from typing import Final, NamedTuple

# An unknown field is passed over, as the standard says, where it can be one. A comment has an empty name.
_FIELD: Final = re.compile(rb"[A-Za-z][\w-]{0,31}|")
# What remains of a broken event may be glued to the name of the one behind it.
_GLUED: Final = re.compile(rb"(.+)event: (\w+)")
_BOM: Final = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event of a stream. ``name`` is empty for text that is no field of any event."""

    name: str
    data: str


class SSEDecoder:
    """Cuts a stream into events.

    Lines end with LF, CR or CRLF and with nothing else. Bytes that are no UTF-8 are replaced. Text that can be no field
    is what remains of an event that the server broke in two: it is given as an event without a name, not dropped.
    """

    def __init__(self) -> None:
        self._unfinished: list[bytes] = []
        self._at_start = True
        self._after_cr = False
        self._name = b""
        self._data: list[bytes] = []
        self._strays: list[bytes] = []

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and give the events that they complete."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        # For bytes, unlike for text, splitlines knows no other line ends than the three.
        lines = chunk.splitlines(keepends=True)
        if not lines:
            return []
        unfinished = b"" if lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        self._after_cr = chunk.endswith(b"\r")
        if lines and self._unfinished:
            lines[0] = b"".join([*self._unfinished, lines[0]])
            self._unfinished.clear()
        if unfinished:
            self._unfinished.append(unfinished)
        if lines and self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BOM)
        return self._events(lines)

    def finish(self) -> list[ServerSentEvent]:
        """Give what the end of the stream left unfinished, if it amounts to an event."""
        tail = b"".join(self._unfinished)
        self._unfinished.clear()
        return self._events([tail.removeprefix(_BOM) if self._at_start else tail, b""])

    def _events(self, lines: list[bytes]) -> list[ServerSentEvent]:
        events: list[ServerSentEvent] = []
        data = self._data
        for ended in lines:
            line = ended.rstrip(b"\r\n")
            if line.startswith(b"data:"):
                data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line.startswith(b"event:"):
                self._name = line[7:] if line[6:7] == b" " else line[6:]
            elif line:
                self._other(line)
            elif data or self._strays:
                self._end_block(events)
            else:
                self._name = b""
        return events

    def _other(self, line: bytes) -> None:
        field = line.partition(b":")[0]
        if field == b"data":
            self._data.append(b"")
        elif field == b"event":
            self._name = b""
        elif glued := _GLUED.fullmatch(line):
            self._strays.append(glued[1])
            self._name = glued[2]
        elif not _FIELD.fullmatch(field):
            self._strays.append(line)

    def _end_block(self, events: list[ServerSentEvent]) -> None:
        if self._strays:
            events.append(ServerSentEvent("", b"\n".join(self._strays).decode("utf-8", "replace")))
            self._strays.clear()
        if self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            name = self._name.decode("utf-8", "replace") or "message"
            events.append(ServerSentEvent(name, data.decode("utf-8", "replace")))
        self._name = b""
        self._data.clear()
