"""A TLS context that reads the CA certificates in a thread, when a first connection is going to need them.

Reading them is a sixth of the time from the start of a process to its first response. OpenSSL does it without Python's
lock, so that the calling thread imports modules and connects meanwhile. A server on the same machine, such as the local
one, needs none.
"""

import os
import ssl
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from threading import Thread
from typing import Any, Self

import httpx

from comfydeploy._http.loading import CERTIFICATES, LOCK


class LateContext(ssl.SSLContext):
    """The context of ``httpx.create_ssl_context()``, created by the first handshake or before it.

    All work is done by that one. This object has no certificates: a handshake with it alone would fail.
    """

    _made: ssl.SSLContext | None = None
    _protocols: tuple[str, ...] = ()

    def __new__(cls) -> Self:
        """Create the context for clients, which verify the server."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def begin(self) -> None:
        """Begin to read the certificates, and return at once."""
        if self._made is not None:
            return
        # No daemon: at the end of a process OpenSSL frees what the thread uses.
        with suppress(RuntimeError):  # no more threads can be started: the handshake reads them
            Thread(target=self._prepare, name="comfydeploy-certificates").start()

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Keep the names for the real context; httpx sets them before each handshake."""
        self._protocols = tuple(alpn_protocols)

    def wrap_bio(self, *given: Any, **named: Any) -> ssl.SSLObject:
        """Begin a handshake in memory, as both networks do."""
        return self._whole().wrap_bio(*given, **named)

    def wrap_socket(self, *given: Any, **named: Any) -> ssl.SSLSocket:
        """Begin a handshake over a socket."""
        return self._whole().wrap_socket(*given, **named)

    def _whole(self) -> ssl.SSLContext:
        made = self._created()
        made.set_alpn_protocols(self._protocols)
        return made

    def _created(self) -> ssl.SSLContext:
        with CERTIFICATES:
            made = self._made = self._made or _verifying()
        return made

    def _prepare(self) -> None:
        with suppress(Exception):  # the handshake tries again, and its call returns the error
            self._created()


def _verifying() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # which does not name the file
        chosen = [f"{name}={os.environ[name]}" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ]
        reason = ": ".join([error.strerror or str(error), *chosen])
        raise OSError(f"cannot read the CA certificates: {reason}") from error


@cache
def shared_context() -> LateContext:
    """Return the one context of the process: creating it is most of the cost of creating a client."""
    with LOCK:
        return LateContext()
