"""The body of a response as the bytes of a file: decompressed, and checked to be complete."""

import zlib
from collections.abc import Iterator
from typing import Any, Final

from comfydeploy._wire.reply import Reply, unexpected
from comfydeploy.errors import ConnectionError

_AT_ONCE: Final = 1024 * 1024
# By content encoding: zlib's number of the format.
_FORMATS: Final = {"gzip": 31, "x-gzip": 31, "deflate": zlib.MAX_WBITS}
_ZLIB: Final = 8
_NOTHING: Final[dict[str, str]] = {}


class FileBody:
    """Decodes the bytes of a body to those of a file, and detects a body that was cut.

    Where a body was cut before the server sent it, HTTP cannot detect that, but the format of compressed data can. A
    transport of the caller's may not compare the length. ``is_decoded``: the body was read and decompressed elsewhere.
    """

    def __init__(self, reply: Reply, *, is_decoded: bool = False) -> None:
        """Raise ``SDKError`` for an encoding that cannot be read."""
        self.received = 0
        headers = _NOTHING if is_decoded else reply.headers
        # Chunks have an end of their own: HTTP ignores a length beside them.
        length = "" if "transfer-encoding" in headers else headers.get("content-length", "")
        self.length = int(length) if length.isascii() and length.isdecimal() else None
        self._reply = reply
        self._encoding = headers.get("content-encoding", "identity").strip().lower() or "identity"
        self._inflater: Any = None
        self.is_identity = self._is_whole = self._encoding == "identity"
        if not self.is_identity and self._encoding not in _FORMATS:
            raise unexpected(reply, f"The file was sent as {self._encoding!r}, although it was requested as it is")

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode bytes of the body and yield those of the file, a limited number at a time."""
        self.received += len(data)
        if self.is_identity:
            yield data
            return
        try:
            yield from self._inflated(data)
        except zlib.error as error:
            raise unexpected(self._reply, f"The file cannot be decompressed: {error}") from None

    def finish(self) -> None:
        """Raise ``ConnectionError`` where the body was cut."""
        if self.length is not None and self.received != self.length:
            raise ConnectionError(f"The file was cut: {self.received:,} of {self.length:,} bytes came", "answered")
        if not self._is_whole:
            raise ConnectionError(f"The file was cut: its {self._encoding} data has no end", "answered")

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        is_full = False
        while data or is_full:
            if self._inflater is None:
                if self._is_whole and self._encoding == "deflate":
                    raise zlib.error("there are bytes after its end")
                if self._is_whole:
                    data = data.lstrip(b"\0")  # padding, after which another member may follow
                    if not data:
                        return
                self._inflater, self._is_whole = zlib.decompressobj(self._format(data)), False
            piece = self._inflater.decompress(data, _AT_ONCE)
            if piece:
                yield piece
            is_full, data = len(piece) == _AT_ONCE, self._inflater.unconsumed_tail
            if self._inflater.eof:
                is_full, data = False, self._inflater.unused_data
                self._inflater, self._is_whole = None, True

    def _format(self, data: bytes) -> int:
        if self._encoding == "deflate" and data[0] & 15 != _ZLIB:
            return -zlib.MAX_WBITS  # some servers send it without zlib's header
        return _FORMATS[self._encoding]
