"""A TLS context that reads the certificates of the authorities when the first connection needs them.

That is a sixth of a process's time to a first answer, and a server on the same machine, such as the local one, needs
none of it.
"""

import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any, Self

import httpx

from comfydeploy._http.loading import LOCK


class LateContext(ssl.SSLContext):
    """What ``httpx.create_ssl_context()`` gives, made at the first handshake.

    All work is left to that one. This shell itself trusts nobody: a handshake that went past it would be refused.
    """

    _made: ssl.SSLContext | None = None
    _protocols: tuple[str, ...] = ()

    def __new__(cls) -> Self:
        """Make the shell; the protocol is the one for clients, which verifies who answers."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Keep the names for the context to come; httpx gives them before each handshake."""
        self._protocols = tuple(alpn_protocols)

    def wrap_bio(self, *given: Any, **named: Any) -> ssl.SSLObject:
        """Begin a handshake in memory, as both networks do it."""
        return self._whole().wrap_bio(*given, **named)

    def _whole(self) -> ssl.SSLContext:
        with LOCK:  # because OpenSSL has locks of its own, which no fork may leave locked in the child
            made = self._made = self._made or httpx.create_ssl_context()
        made.set_alpn_protocols(self._protocols)
        return made


@cache
def shared_context() -> LateContext:
    """Return the one context of the process: making one takes most of the time that a client takes to make."""
    with LOCK:
        return LateContext()
