"""TLS over a blocking stream, in memory.

In memory, so that ``Network`` keeps the socket, also during the handshake, and for TLS inside of TLS.
"""

import ssl
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar

import httpcore

from comfydeploy._wire.deadline import started

T = TypeVar("T")

_CHUNK: Final = 65_536


class TlsStream(httpcore.NetworkStream):
    """TLS over another stream, which may be TLS itself, as behind an https proxy."""

    def __init__(
        self, below: httpcore.NetworkStream, context: ssl.SSLContext, hostname: str | None, timeout: float | None
    ) -> None:
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)
            self._pumped(self._tls.do_handshake, timeout)
        except httpcore.TimeoutException as error:
            self.close()
            raise httpcore.ConnectTimeout(str(error)) from error
        except (httpcore.NetworkError, OSError, ValueError) as error:
            self.close()
            raise httpcore.ConnectError(str(error)) from error

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read received bytes, or wait for them; no bytes mean the end."""
        try:
            return self._pumped(partial(self._tls.read, max_bytes), timeout)
        except ssl.SSLEOFError:  # many servers end the connection without ending TLS
            return b""
        except ssl.SSLError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all bytes."""
        left = memoryview(buffer)
        try:
            while left:
                part = partial(self._tls.write, left[:_CHUNK])  # so that a large body is not held twice
                left = left[self._pumped(part, timeout) :]
        except ssl.SSLError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._below.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Begin TLS inside of this one."""
        return TlsStream(self, ssl_context, server_hostname, timeout)

    def get_extra_info(self, info: str) -> Any:
        """Return the TLS object, whether there are bytes or an end to read, or the information of the stream below."""
        if info == "ssl_object":
            return self._tls
        if info == "is_readable" and (self._incoming.pending or self._tls.pending()):
            return True
        return self._below.get_extra_info(info)

    def _pumped(self, step: Callable[[], T], timeout: float | None) -> T:
        limit = started(timeout, monotonic())
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush(limit)
                data = self._below.read(_CHUNK, limit)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._flush(limit)
                return result

    def _flush(self, limit: float | None) -> None:
        if self._outgoing.pending:
            self._below.write(self._outgoing.read(), limit)
