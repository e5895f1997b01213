"""The sockets of a blocking client: a network backend for httpcore.

httpcore's own leaves TCP keep-alive off, applies a limit to each read of one response, and cannot end what another
thread is waiting for.
"""

import socket
import ssl
from contextlib import suppress
from time import monotonic
from typing import Any, Final

import httpcore

from comfydeploy._http.tls_stream import TlsStream
from comfydeploy._wire.deadline import remaining, shared, started

CLOSED: Final = "The client was closed"
LATE: Final = "timed out"
CONNECTING: Final = float("nan")
"""The limit of a read or write that names none, as those of httpcore with a SOCKS proxy: that of connecting."""
# A server that vanished is noticed after 60 + 4 * 30 seconds, also by a call without a limit.
_OPTIONS: Final = tuple(
    (getattr(socket, name), value)
    for name, value in (
        ("TCP_NODELAY", 1),
        ("TCP_KEEPIDLE", 60),
        ("TCP_KEEPALIVE", 60),  # the name of the same option on macOS
        ("TCP_KEEPINTVL", 30),
        ("TCP_KEEPCNT", 4),
    )
    if hasattr(socket, name)
)


def configure(connection: socket.socket) -> None:
    """Set the options of every connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _OPTIONS:
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


class Network(httpcore.NetworkBackend):
    """The sockets that one client has open or is connecting, which ``close`` ends from any thread."""

    def __init__(self) -> None:
        self.is_closed = False
        self._sockets: set[socket.socket] = set()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers."""
        failure = OSError(f"{host} has no address")
        addresses = _addresses(host, port)
        limit = started(timeout, monotonic())
        for number, (family, kind, protocol, _name, address) in enumerate(addresses):
            try:
                stream = SocketStream(socket.socket(family, kind, protocol), self)
                stream.connect(address, shared(limit, len(addresses) - number, monotonic()), limit)
            except OSError as error:
                failure = error
            else:
                return stream
        raise translated(failure, httpcore.ConnectTimeout, httpcore.ConnectError) from failure

    def check_open(self) -> None:
        """Raise ``OSError`` if the client is closed."""
        if self.is_closed:
            raise OSError(CLOSED)

    def add(self, connection: socket.socket) -> None:
        """Add a socket that ``close`` will end."""
        self._sockets.add(connection)

    def discard(self, connection: socket.socket) -> None:
        """Remove a closed socket."""
        self._sockets.discard(connection)

    def close(self) -> None:
        """End every connection; each thread that waits for one gets an error."""
        self.is_closed = True
        for connection in list(self._sockets):
            # Not closed here: another thread may be about to use the descriptor, which could be another socket's.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class SocketStream(httpcore.NetworkStream):
    """The bytes of one socket."""

    def __init__(self, connection: socket.socket, network: Network) -> None:
        self._socket = connection
        self._network = network
        self._seconds: float | None = None
        self._connecting: float | None = None
        network.add(connection)

    def connect(self, address: Any, timeout: float | None, connecting: float | None) -> None:
        """Connect to an address; raise ``OSError``. ``connecting`` is the limit up to the first request."""
        self._connecting = connecting
        try:
            configure(self._socket)
            self._limit(timeout)
            self._network.check_open()
            self._socket.connect(address)
            self._network.check_open()  # because until it is connected there is nothing to shut down
        except OSError:
            self.close()
            raise

    def read(self, max_bytes: int, timeout: float | None = CONNECTING) -> bytes:
        """Read received bytes, or wait for them; no bytes mean the end."""
        try:
            self._limit(timeout)
            data = self._socket.recv(max_bytes)
        except OSError as error:
            raise translated(error, httpcore.ReadTimeout, httpcore.ReadError) from error
        if not data and self._network.is_closed:  # otherwise our own shutdown would look like the end of a body
            raise httpcore.ReadError(CLOSED)
        return data

    def write(self, buffer: bytes, timeout: float | None = CONNECTING) -> None:
        """Send all bytes."""
        left = memoryview(buffer)
        try:
            while left:
                self._limit(timeout)
                left = left[self._socket.send(left) :]
        except OSError as error:
            raise translated(error, httpcore.WriteTimeout, httpcore.WriteError) from error

    def close(self) -> None:
        """Close the socket."""
        self._network.discard(self._socket)
        self._socket.close()

    def __del__(self) -> None:
        # A socket that a Ctrl-C has left open, between two lines or in the lines above.
        with suppress(AttributeError):
            self.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Begin TLS."""
        return TlsStream(self, ssl_context, server_hostname, timeout)

    def get_extra_info(self, info: str) -> Any:
        """Return the socket, its addresses, or whether it has bytes or an end to read."""
        match info:
            case "socket":
                return self._socket
            case "client_addr":
                return self._socket.getsockname()
            case "server_addr":
                return self._socket.getpeername()
            case "is_readable":
                self._seconds = 0
                return is_readable(self._socket)
            case _:
                return None

    def _limit(self, timeout: float | None) -> None:
        seconds = remaining(self._connecting if timeout is CONNECTING else timeout, monotonic())
        if seconds is not None and seconds <= 0:
            raise TimeoutError(LATE)
        if seconds != self._seconds:
            self._seconds = seconds
            self._socket.settimeout(seconds)


def translated(error: OSError, late: type[Exception], broken: type[Exception]) -> Exception:
    """Return httpcore's exception for one of a socket: ``late`` for our limit, ``broken`` for a peer that vanished."""
    is_late = isinstance(error, TimeoutError) and error.errno is None
    return late(LATE) if is_late else broken(str(error))


def is_readable(connection: socket.socket) -> bool:
    """Return whether an idle connection has something to read: bytes, its end or an error."""
    try:
        connection.settimeout(0)
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _addresses(host: str, port: int) -> list[Any]:
    # Without a limit, because getaddrinfo takes none.
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
