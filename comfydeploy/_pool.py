"""A line to wait in and a choice of connection in constant time, for the clients that a core makes.

httpx's own pool looks at all of its connections and at all who wait, anew for every request: with a hundred calls in
flight that is most of what a call costs, and thousands that wait hardly move. Here every connection is a transport of
httpx's that may hold only one. The one used last is used next, so that those which are not needed grow old and are
closed; whoever finds all of them busy waits in line.
"""

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from threading import RLock
from time import monotonic
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

import httpx
from attrs import define

T = TypeVar("T")
_Origin: TypeAlias = tuple[str, bytes]

_CLOSED: Final = "The client was closed"
_ALL_BUSY: Final = "All connections are busy"
_ONE: Final = {"limits": httpx.Limits(max_connections=1, max_keepalive_connections=1)}


@define(eq=False)
class Connection(Generic[T]):
    """A transport for one connection, which leaves its origin by itself when it is asked for another."""

    transport: T
    origin: _Origin
    idle_since: float = 0.0


class Turn(Protocol[T]):
    """Where one in line is handed a connection: a future of either colour."""

    def cancelled(self) -> bool: ...
    def done(self) -> bool: ...
    def result(self) -> Connection[T]: ...
    def exception(self) -> BaseException | None: ...
    def set_result(self, result: Connection[T], /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


class Ledger(Generic[T]):
    """Which connections are idle and who waits for one: what both colours share, without I/O."""

    def __init__(self, make: Callable[[], T], limits: httpx.Limits) -> None:
        self._make = make
        self._limits = limits
        self._open: set[Connection[T]] = set()
        self._idle: deque[Connection[T]] = deque()  # the one used last at the end
        self._waiting: OrderedDict[Turn[T], _Origin] = OrderedDict()
        self._is_closed = False
        # Reentrant, since the garbage collector may close a forgotten stream anywhere, also in here.
        self._lock = RLock()

    def take(self, origin: _Origin) -> Connection[T] | None:
        """Give a connection, best one that leads to this origin already, or nothing when all are busy."""
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                connection = self._idle[index]
                if connection.origin == origin:
                    del self._idle[index]
                    return connection
            most = self._limits.max_connections
            if most is None or len(self._open) < most:
                return self._opened(origin)
            if self._idle:
                connection = self._idle.popleft()
                connection.origin = origin
                return connection
        return None

    @contextmanager
    def line(self, turn: Turn[T], origin: _Origin) -> Generator[None]:
        """Keep somebody in line while the block waits for the turn."""
        with self._lock:
            if self._is_closed:
                raise httpx.PoolTimeout(_CLOSED)
            if connection := self.take(origin):  # one came free meanwhile
                turn.set_result(connection)
            else:
                self._waiting[turn] = origin
        try:
            yield
        except BaseException as error:
            self._leave(turn)
            if isinstance(error, TimeoutError):
                raise httpx.PoolTimeout(_ALL_BUSY) from None
            raise

    def keep(self, connection: Connection[T]) -> bool:
        """Hand a connection to the first in line, or note it as idle; ``False`` where it is to be closed."""
        with self._lock:
            if not self._handed(connection) and not self._is_closed:
                connection.idle_since = monotonic()
                self._idle.append(connection)
            return not self._is_closed

    def drop(self, connection: Connection[T]) -> None:
        """Forget a connection; the first in line gets a new one in its place."""
        with self._lock:
            self._open.discard(connection)
            if self._waiting:
                self.keep(self._opened(connection.origin))

    def surplus(self) -> list[Connection[T]]:
        """Forget the connections that nobody has needed for long, and give them, to be closed."""
        most, seconds = self._limits.max_keepalive_connections, self._limits.keepalive_expiry
        found: list[Connection[T]] = []
        with self._lock:
            while self._idle and (
                (most is not None and len(self._idle) > most)
                or (seconds is not None and monotonic() - self._idle[0].idle_since > seconds)
            ):
                found.append(self._idle.popleft())
            self._open.difference_update(found)
        return found

    def close(self) -> list[Connection[T]]:
        """Send everybody in line away; forget all connections and give them, to be closed."""
        with self._lock:
            self._is_closed = True
            for turn in self._waiting:
                if not turn.done():
                    turn.set_exception(httpx.PoolTimeout(_CLOSED))
            found = list(self._open)
            for connections in (self._waiting, self._open, self._idle):
                connections.clear()
        return found

    def _opened(self, origin: _Origin) -> Connection[T]:
        connection = Connection(self._make(), origin)
        self._open.add(connection)
        return connection

    def _handed(self, connection: Connection[T]) -> bool:
        while self._waiting:
            turn, connection.origin = self._waiting.popitem(last=False)
            if not turn.done():  # it is where the task was cancelled and has not run since
                turn.set_result(connection)
                return True
        return False

    def _leave(self, turn: Turn[T]) -> None:
        with self._lock:
            self._waiting.pop(turn, None)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.keep(turn.result())  # it was handed over in the same moment


class Pool(httpx.BaseTransport):
    """The connections of a blocking client, for any number of threads."""

    def __init__(self, make: Callable[[], httpx.BaseTransport], limits: httpx.Limits) -> None:
        self._ledger = Ledger(make, limits)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request as soon as there is a connection for it."""
        origin = (request.url.scheme, request.url.netloc)
        old_ones = self._ledger.surplus()
        connection = self._ledger.take(origin) or self._waited(origin, request)
        try:
            for old in old_ones:
                old.transport.close()
            response = connection.transport.handle_request(request)
        except BaseException:
            self._ledger.drop(connection)
            connection.transport.close()
            raise
        response.stream = _Body(response.stream, connection, self._ledger)
        return response

    def _waited(self, origin: _Origin, request: httpx.Request) -> Connection[httpx.BaseTransport]:
        from concurrent.futures import Future

        turn: Future[Connection[httpx.BaseTransport]] = Future()
        with self._ledger.line(turn, origin):
            return turn.result(_patience(request))

    def close(self) -> None:
        """Close all connections, also those in use; whoever waits for one is sent away."""
        for connection in self._ledger.close():
            connection.transport.close()


class _Body(httpx.SyncByteStream):
    """The bytes of an answer; until they are closed, its connection is busy."""

    def __init__(
        self, stream: Any, connection: Connection[httpx.BaseTransport], ledger: Ledger[httpx.BaseTransport]
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._ledger = ledger
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._stream.close()
        except BaseException:
            self._ledger.drop(self._connection)
            self._connection.transport.close()
            raise
        if not self._ledger.keep(self._connection):
            self._connection.transport.close()


class AsyncPool(httpx.AsyncBaseTransport):
    """The connections of an async client, for the tasks of one event loop."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport], limits: httpx.Limits) -> None:
        self._ledger = Ledger(make, limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request as soon as there is a connection for it."""
        origin = (request.url.scheme, request.url.netloc)
        old_ones = self._ledger.surplus()
        connection = self._ledger.take(origin) or await self._waited(origin, request)
        try:
            for old in old_ones:
                await old.transport.aclose()
            response = await connection.transport.handle_async_request(request)
        except BaseException:
            self._ledger.drop(connection)
            await connection.transport.aclose()
            raise
        response.stream = _AsyncBody(response.stream, connection, self._ledger)
        return response

    async def _waited(self, origin: _Origin, request: httpx.Request) -> Connection[httpx.AsyncBaseTransport]:
        from asyncio import Future, get_running_loop, timeout

        turn: Future[Connection[httpx.AsyncBaseTransport]] = get_running_loop().create_future()
        with self._ledger.line(turn, origin):
            async with timeout(_patience(request)):
                return await turn

    async def aclose(self) -> None:
        """Close all connections, also those in use; whoever waits for one is sent away."""
        for connection in self._ledger.close():
            await connection.transport.aclose()


class _AsyncBody(httpx.AsyncByteStream):
    """The twin of ``_Body``."""

    def __init__(
        self,
        stream: Any,
        connection: Connection[httpx.AsyncBaseTransport],
        ledger: Ledger[httpx.AsyncBaseTransport],
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._ledger = ledger
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._stream.aclose()
        except BaseException:
            self._ledger.drop(self._connection)
            await self._connection.transport.aclose()
            raise
        if not self._ledger.keep(self._connection):
            await self._connection.transport.aclose()


def _patience(request: httpx.Request) -> float | None:
    limits: dict[str, float | None] = request.extensions.get("timeout", {})
    return limits.get("pool")


class PooledClient(httpx.Client):
    """A client whose transports, those for the environment's proxies included, choose their connections as above."""

    def _init_transport(self, *given: Any, **settings: Any) -> httpx.BaseTransport:
        return Pool(partial(super()._init_transport, *given, **settings | _ONE), settings["limits"])

    def _init_proxy_transport(self, *given: Any, **settings: Any) -> httpx.BaseTransport:
        return Pool(partial(super()._init_proxy_transport, *given, **settings | _ONE), settings["limits"])


class AsyncPooledClient(httpx.AsyncClient):
    """The twin of ``PooledClient``."""

    def _init_transport(self, *given: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        return AsyncPool(partial(super()._init_transport, *given, **settings | _ONE), settings["limits"])

    def _init_proxy_transport(self, *given: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        return AsyncPool(partial(super()._init_proxy_transport, *given, **settings | _ONE), settings["limits"])
