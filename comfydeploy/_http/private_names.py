"""All private names of other libraries that this client relies on.

Each was checked with httpx 0.28.1, httpcore 1.0.9, httpx2 2.16.2 and httpcore2 2.16.2.
"""

from typing import Any

import httpcore
import httpx


class PoolTransport(httpx.HTTPTransport):
    """HTTP over a pool of ours.

    A subclass that inherits ``handle_request``, because OpenTelemetry, respx and pytest-httpx patch it there. No public
    argument takes a pool, so ``_pool`` is set; what ``__init__`` would do is make another one.
    """

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool


class AsyncPoolTransport(httpx.AsyncHTTPTransport):
    """HTTP over an async pool of ours; see ``PoolTransport``."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool


def has_received_more(connection: Any) -> bool:
    """Return whether an idle connection has received more than its response: bytes, or its end.

    httpcore keeps the bytes in h11's buffer and looks at the socket alone. ``_connection`` leads from the connections
    that a pool makes, through those of a proxy, to the one that has an ``_h11_state``.
    """
    while (state := getattr(connection, "_h11_state", None)) is None:
        connection = getattr(connection, "_connection", None)
        if connection is None:
            return False
    return any(state.trailing_data)


def before_server(error: BaseException, connection: Any) -> Exception | None:
    """Return the exception for one that a proxy caused before its connection led to the server, or ``None``.

    httpcore raises then as if the request had been sent. ``_connected`` is set once a tunnel is there, and
    ``_connection`` once a SOCKS proxy has connected.
    """
    is_there = getattr(connection, "_connected", True)
    if type(connection).__name__.endswith("Socks5Connection"):  # of others it may be a mock that has no connection
        is_there = getattr(connection, "_connection", None) is not None
    if is_there:
        return None
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout | MemoryError):
        return None
    if isinstance(error, httpcore.TimeoutException):
        return httpcore.ConnectTimeout(str(error))
    # With SOCKS also the exceptions of another package, socksio.
    return httpcore.ProxyError(str(error)) if isinstance(error, Exception) else None
