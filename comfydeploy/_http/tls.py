"""A TLS context that reads the CA certificates when the first connection needs them.

Reading them is a sixth of the time from the start of a process to its first response, and a server on the same machine,
such as the local one, needs none.
"""

import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any, Self

import httpx

from comfydeploy._http.loading import LOCK


class LateContext(ssl.SSLContext):
    """The context of ``httpx.create_ssl_context()``, created at the first handshake.

    All work is done by that one. This object has no certificates: a handshake with it alone would fail.
    """

    _made: ssl.SSLContext | None = None
    _protocols: tuple[str, ...] = ()

    def __new__(cls) -> Self:
        """Create the context for clients, which verify the server."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Keep the names for the real context; httpx sets them before each handshake."""
        self._protocols = tuple(alpn_protocols)

    def wrap_bio(self, *given: Any, **named: Any) -> ssl.SSLObject:
        """Begin a handshake in memory, as both networks do."""
        return self._whole().wrap_bio(*given, **named)

    def _whole(self) -> ssl.SSLContext:
        with LOCK:  # because OpenSSL has locks, which a fork must not leave locked in the child
            made = self._made = self._made or httpx.create_ssl_context()
        made.set_alpn_protocols(self._protocols)
        return made


@cache
def shared_context() -> LateContext:
    """Return the one context of the process: creating it is most of the cost of creating a client."""
    with LOCK:
        return LateContext()
