"""A response, read by llhttp: the parser of the extra ``speed``."""

import sys
from functools import partial
from typing import Any, Final

import httpcore
from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

from comfydeploy._http.response import MOST, ReceivedResponse

_OK: Final = 200


class LlhttpResponse(ReceivedResponse):
    """A response that is being received, with the extra."""

    def __init__(self) -> None:
        super().__init__()
        self._reason: list[bytes] = []
        self._begun: list[None] = []
        self._interim = 0
        self._unused = 0
        self._whole = 0
        self._is_broken = False
        self._keeps_alive = False
        # What llhttp calls is C where possible.
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

    def _parse(self, data: bytes) -> None:
        if not data:
            self._end()
            return
        self._unused += len(data)
        self._execute(data)
        if self.is_complete:
            del self._parts[self._whole :]  # what belongs to a surplus response
        elif self._parts and self.has_head:
            self._unused = 0
        elif self._unused > MOST:
            self._error = httpcore.RemoteProtocolError(f"More than {MOST} bytes of a head, or beside a chunk")

    def _execute(self, data: bytes) -> None:
        handled = sys.exception()
        try:
            self._parser.feed_data(data)
        except HttpParserCallbackError as error:
            # What a method below raised, mostly a Ctrl-C, is the context of the error. Where the caller is handling an
            # exception, Python makes that one the context, and ours is lost.
            raised = error.__context__
            raise KeyboardInterrupt if raised is None or raised is handled else raised from None
        except (HttpParserError, HttpParserUpgrade) as error:
            self._is_broken = True
            if not self.is_complete:  # otherwise it is what follows the response
                self._error = httpcore.RemoteProtocolError(f"not HTTP: {error}")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header of the head."""
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
                self._is_compressed = True
        if codings and codings != [b"chunked"]:
            self._error = httpcore.RemoteProtocolError(f"the transfer-encoding {codings} is not known")
        else:
            self.status, self.has_head, self._unused = status, True, 0
            version = b"HTTP/" + self._parser.get_http_version().encode()
            self.extensions = {"http_version": version, "reason_phrase": b"".join(self._reason)}

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
            self._parts.clear()  # llhttp reads a body where there can be none

    def _end(self) -> None:
        self._is_broken = True
        names = {name.lower() for name, _ in self.headers}
        if names & {b"content-length", b"transfer-encoding"}:
            self._error = httpcore.RemoteProtocolError("peer closed connection without sending complete message body")
        else:
            self.is_complete = True
