"""A response that is being received over HTTP/1.1: the common part of the two parsers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import httpcore

MOST: Final = 102_400
"""Bytes that may arrive without completing a head or a part of a body; the limit of httpcore's own connections."""


class ReceivedResponse(ABC):
    """The head of one response, and the parts of its body that have not been taken."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.has_head = False
        self.is_complete = False
        self.extensions: dict[str, Any] = {}
        """What httpcore says of a response beside its head."""
        self._parts: list[bytes] = []
        self._is_compressed = False
        self._error: httpcore.RemoteProtocolError | None = None

    @property
    @abstractmethod
    def may_stay(self) -> bool:
        """Return whether the connection can take another request."""
        ...

    @property
    def is_over(self) -> bool:
        """Return whether no more bytes of the connection are needed."""
        return self.is_complete or self._error is not None

    def feed(self, data: bytes) -> None:
        """Take bytes of the connection; no bytes mean its end. Raise ``RemoteProtocolError`` for what is not a head."""
        if data or self.has_head:
            self._parse(data)
        else:
            self._error = httpcore.RemoteProtocolError("Server disconnected without sending a response.")
        if self._error is not None and not self.has_head:
            raise self._error

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
        taken = parts[:] if self._is_compressed else (b"".join(parts),)
        parts.clear()
        return taken

    @abstractmethod
    def _parse(self, data: bytes) -> None:
        """Read bytes, or the end of the connection behind a head, and set what they are."""
        ...
