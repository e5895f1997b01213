"""The response to one request, out of the bytes of a connection, by llhttp: the parser of the extra ``speed``."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import httpcore
from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

_MOST: Final = 102_400  # bytes without a head or a part of a body; the limit of httpcore's own connections
_OK: Final = 200


class ResponseParser:
    """A response that is being received: its head, and the parts of its body that have not been taken."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.has_head = False
        self.is_complete = False
        self._reason: list[bytes] = []
        self._parts: list[bytes] = []
        self._begun: list[None] = []
        self._interim = 0
        self._unused = 0
        self._whole = 0
        self._is_encoded = False
        self._error: httpcore.RemoteProtocolError | None = None
        self._is_broken = False
        self._keeps_alive = False
        # What llhttp calls is C where possible: of those four, only the first is Python's.
        self.on_header = self._add_header
        self.on_status = self._reason.append
        self.on_body = self._parts.append
        self.on_message_begin = partial(self._begun.append, None)
        self._parser: Any = HttpResponseParser(self)
        # As h11: some servers pad the size of a chunk, and chunks come before a length.
        self._parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True, lenient_chunked_length=True)

    @property
    def may_stay(self) -> bool:
        """Return whether the connection can take another request."""
        has_more = self._is_broken or len(self._begun) > self._interim + 1
        return self._keeps_alive and not has_more

    @property
    def extensions(self) -> dict[str, Any]:
        """Return what httpcore says of a response beside its head."""
        version = b"HTTP/" + self._parser.get_http_version().encode()
        return {"http_version": version, "reason_phrase": b"".join(self._reason)}

    def feed(self, data: bytes) -> None:
        """Take bytes of the connection; no bytes mean its end. Raise ``RemoteProtocolError`` for what is not a head."""
        if data:
            self._unused += len(data)
            self._parse(data)
            if self.is_complete:
                del self._parts[self._whole :]  # what belongs to a surplus response
            elif self._parts:
                self._unused = 0
            elif self._unused > _MOST:
                self._error = httpcore.RemoteProtocolError(f"More than {_MOST} bytes of a head, or beside a chunk")
        else:
            self._end()
        if self._error is not None and not self.has_head:
            raise self._error

    @property
    def is_over(self) -> bool:
        """Return whether no more bytes of the connection are needed."""
        return self.is_complete or self._error is not None

    def take(self) -> Sequence[bytes]:
        """Return what was received of the body and not taken yet, in one piece.

        Raise ``RemoteProtocolError`` once all bytes before what is not HTTP are taken. A compressed body stays in
        pieces: one that cannot be decompressed must not make those before it unreadable.
        """
        parts = self._parts
        if not parts:
            if self._error is not None:
                raise self._error
            return ()
        taken = parts[:] if self._is_encoded else (b"".join(parts),)
        parts.clear()
        return taken

    def _parse(self, data: bytes) -> None:
        handled = sys.exception()
        try:
            self._parser.feed_data(data)
        except HttpParserCallbackError as error:
            # What came up in a method below, mostly a Ctrl-C. It is the context of the error, but for a caller that is
            # handling another exception, which Python has put in its place.
            raised = error.__context__
            raise KeyboardInterrupt if raised is None or raised is handled else raised from None
        except (HttpParserError, HttpParserUpgrade) as error:
            self._is_broken = True
            if not self.is_complete:  # otherwise it is what follows the response
                self._error = httpcore.RemoteProtocolError(f"not HTTP: {error}")

    def _add_header(self, name: bytes, value: bytes) -> None:
        if not self.has_head:  # otherwise it follows the last chunk, or belongs to a surplus response
            self.headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Note the end of a head."""
        status: int = self._parser.get_status_code()
        if self.is_complete or status < _OK:
            return
        codings: list[bytes] = []
        for name, value in self.headers:
            if len(name) == 17 and name.lower() == b"transfer-encoding":  # noqa: PLR2004 - the length of that name
                codings.append(value.lower())
            elif len(name) == 16 and name.lower() == b"content-encoding":  # noqa: PLR2004 - the same
                self._is_encoded = True
        if codings and codings != [b"chunked"]:
            self._error = httpcore.RemoteProtocolError(f"the transfer-encoding {codings} is not known")
        else:
            self.status, self.has_head, self._unused = status, True, 0

    def on_message_complete(self) -> None:
        """Note the end of the response, or of what the server says before it."""
        if self.is_complete:
            return
        if self.has_head:
            self.is_complete = True
            self._whole = len(self._parts)
            self._keeps_alive = self._parser.should_keep_alive()
        else:
            self._interim += 1
            self.headers.clear()
            self._reason.clear()

    def _end(self) -> None:
        self._is_broken = True
        if not self.has_head:
            self._error = httpcore.RemoteProtocolError("Server disconnected without sending a response.")
            return
        names = {name.lower() for name, _ in self.headers}
        if names & {b"content-length", b"transfer-encoding"}:
            self._error = httpcore.RemoteProtocolError("peer closed connection without sending complete message body")
        else:
            self.is_complete = True
