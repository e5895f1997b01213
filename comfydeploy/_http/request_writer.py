"""The bytes of one request, as HTTP/1.1 has them."""

import re
from typing import Final

import httpcore

_JOINED: Final = 65_536  # bytes of a body that are sent in one piece with the head
_HEAD: Final = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP/1\.1\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[^\x00\s](?:[^\x00\r\n\f\v]*[^\x00\s])?)?\r\n)+\r\n"
)

_LENGTH: Final = re.compile(rb"[0-9]{1,20}")


class RequestWriter:
    """A request that is being sent: what to write for each part of its body, and how many bytes are left."""

    def __init__(self, request: httpcore.Request) -> None:
        """Check the head; raise ``LocalProtocolError`` where it cannot be sent."""
        self._head = head_of(request)
        self.is_last = False
        """Whether the request has the connection closed after it."""
        length = b"0"
        for name, value in request.headers:
            if len(name) == 14 and name.lower() == b"content-length":  # noqa: PLR2004 - the length of that name
                length = value
            elif len(name) == 17 and name.lower() == b"transfer-encoding":  # noqa: PLR2004 - the same
                raise httpcore.LocalProtocolError("A request has a content-length, and no transfer-encoding")
            elif len(name) == 10 and name.lower() == b"connection":  # noqa: PLR2004 - the same
                self.is_last |= b"close" in value.lower()
        if _LENGTH.fullmatch(length) is None:
            raise httpcore.LocalProtocolError("The content-length is no number")
        self._left = int(length)

    def framed(self, part: bytes) -> tuple[bytes, ...]:
        """Return what to write for a part of the body: the head before the first."""
        head, self._head = self._head, b""
        if not part:
            return (head,) if head else ()
        self._left -= len(part)
        if self._left < 0:
            raise httpcore.LocalProtocolError("Too much data for declared Content-Length")
        return (head + part,) if len(part) <= _JOINED else (head, part)

    def end(self) -> tuple[bytes, ...]:
        """Return what to write after the body."""
        if self._left:
            raise httpcore.LocalProtocolError("Too little data for declared Content-Length")
        return (self._head,) if self._head else ()


def head_of(request: httpcore.Request) -> bytes:
    """Return the head of a request; raise ``LocalProtocolError`` for what would not be a head."""
    lines = [b"%b %b HTTP/1.1\r\n" % (request.method, request.url.target)]
    lines += [b"%b: %b\r\n" % header for header in request.headers]
    lines.append(b"\r\n")
    head = b"".join(lines)
    # A value with a line break would be another header.
    if _HEAD.fullmatch(head) is None or head.count(b"\n") != len(request.headers) + 2:
        raise httpcore.LocalProtocolError("The method, the address or a header has characters that HTTP does not allow")
    return head
