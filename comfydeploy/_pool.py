"""A line to wait in and a choice of connection in constant time, for the clients that a core makes.

httpx leaves both to httpcore, whose pool looks at all of its connections and at all who wait, anew for every request:
with a hundred calls in flight that is most of what a call costs, and thousands that wait hardly move. Here the
connection used last is used next, so that those which are not needed grow old and are closed; whoever finds all of them
busy waits in line. The connections themselves are httpcore's, and so are the ways through a proxy.
"""

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from threading import RLock
from time import monotonic
from typing import Any, Final, Generic, Protocol, TypeVar

import httpcore
import httpx
from attrs import define
from httpcore import AsyncConnectionInterface, ConnectionInterface, Origin

C = TypeVar("C", bound=ConnectionInterface | AsyncConnectionInterface)

_CLOSED: Final = "The client was closed"
_ALL_BUSY: Final = "All connections are busy"


@define(eq=False)
class Place(Generic[C]):
    """A place for one connection."""

    origin: Origin
    connection: C | None = None
    idle_since: float = 0.0

    def usable(self, origin: Origin) -> C | None:
        """Give the connection if it leads to the origin still: it may have broken, or its server have closed it."""
        found = self.connection
        fits = found is not None and self.origin == origin and found.is_idle() and not found.has_expired()
        return found if fits else None


class Turn(Protocol[C]):
    """Where one in line is given a place: a future of either colour."""

    def cancelled(self) -> bool: ...
    def done(self) -> bool: ...
    def result(self) -> Place[C]: ...
    def exception(self) -> BaseException | None: ...
    def set_result(self, result: Place[C], /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


class Ledger(Generic[C]):
    """Which places are free and who waits for one: what both colours share, without I/O."""

    def __init__(self, limits: httpx.Limits) -> None:
        self._limits = limits
        self._places: set[Place[C]] = set()
        self._idle: deque[Place[C]] = deque()  # the one used last at the end
        self._waiting: OrderedDict[Turn[C], None] = OrderedDict()
        self._is_closed = False
        # Reentrant, since the garbage collector may close a forgotten stream anywhere, also in here.
        self._lock = RLock()

    def take(self, origin: Origin) -> Place[C] | None:
        """Give a place, best one whose connection leads to this origin, or nothing when all are busy."""
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].origin == origin:
                    place = self._idle[index]
                    del self._idle[index]
                    return place
            most = self._limits.max_connections
            if most is None or len(self._places) < most:
                return self._made(origin)
            return self._idle.popleft() if self._idle else None

    @contextmanager
    def line(self, turn: Turn[C], origin: Origin) -> Generator[None]:
        """Keep somebody in line while the block waits for the turn."""
        with self._lock:
            if self._is_closed:
                raise httpcore.PoolTimeout(_CLOSED)
            if place := self.take(origin):  # it came free meanwhile
                turn.set_result(place)
            else:
                self._waiting[turn] = None
        try:
            yield
        except BaseException as error:
            self._leave(turn)
            if isinstance(error, TimeoutError):
                raise httpcore.PoolTimeout(_ALL_BUSY) from None
            raise

    def keep(self, place: Place[C]) -> bool:
        """Give a place to the first in line, or note it as idle; ``False`` where its connection is to be closed."""
        with self._lock:
            while self._waiting:
                turn, _ = self._waiting.popitem(last=False)
                if not turn.done():  # it is where the task was cancelled and has not run since
                    turn.set_result(place)
                    return True
            if not self._is_closed:
                place.idle_since = monotonic()
                self._idle.append(place)
            return not self._is_closed

    def drop(self, place: Place[C]) -> None:
        """Forget a place, whose connection is to be closed; the first in line gets a new one."""
        with self._lock:
            self._places.discard(place)
            if self._waiting:
                self.keep(self._made(place.origin))

    def surplus(self) -> list[C]:
        """Forget the places that nobody has needed for long, and give their connections, to be closed."""
        most, seconds = self._limits.max_keepalive_connections, self._limits.keepalive_expiry
        old: list[Place[C]] = []
        with self._lock:
            while self._idle and (
                (most is not None and len(self._idle) > most)
                or (seconds is not None and monotonic() - self._idle[0].idle_since > seconds)
            ):
                old.append(self._idle.popleft())
            self._places.difference_update(old)
        return [place.connection for place in old if place.connection]

    def close(self) -> list[C]:
        """Send everybody in line away; forget all places and give their connections, to be closed."""
        with self._lock:
            self._is_closed = True
            for turn in self._waiting:
                if not turn.done():
                    turn.set_exception(httpcore.PoolTimeout(_CLOSED))
            found = [place.connection for place in self._places if place.connection]
            for those in (self._waiting, self._places, self._idle):
                those.clear()
        return found

    def _made(self, origin: Origin) -> Place[C]:
        place = Place[C](origin)
        self._places.add(place)
        return place

    def _leave(self, turn: Turn[C]) -> None:
        with self._lock:
            self._waiting.pop(turn, None)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.keep(turn.result())  # it was given in the same moment


class Pool(httpcore.ConnectionPool):
    """The connections of a blocking client, for any number of threads; ``source`` is what makes them."""

    def __init__(self, source: httpcore.ConnectionPool, limits: httpx.Limits) -> None:
        super().__init__()
        self._source = source
        self._ledger: Ledger[ConnectionInterface] = Ledger(limits)

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request as soon as there is a connection for it."""
        origin = _origin(request)
        old = self._ledger.surplus()
        place = self._ledger.take(origin) or self._waited(origin, request)
        try:
            for one in old:
                one.close()
            connection = place.usable(origin)
            if connection is None:
                _close(place)
                place.origin, place.connection = origin, (connection := self._source.create_connection(origin))
            response = connection.handle_request(request)
        except BaseException:
            self._ledger.drop(place)
            _close(place)
            raise
        response.stream = _Body(response.stream, place, self._ledger)
        return response

    def _waited(self, origin: Origin, request: httpcore.Request) -> Place[ConnectionInterface]:
        from concurrent.futures import Future

        turn: Future[Place[ConnectionInterface]] = Future()
        with self._ledger.line(turn, origin):
            return turn.result(_patience(request))

    def close(self) -> None:
        """Close all connections, also those in use; whoever waits for one is sent away."""
        for connection in self._ledger.close():
            connection.close()


class _Body:
    """The bytes of an answer; until they are closed, its connection is busy."""

    def __init__(self, stream: Any, place: Place[ConnectionInterface], ledger: Ledger[ConnectionInterface]) -> None:
        self._stream = stream
        self._place = place
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
            self._ledger.drop(self._place)
            _close(self._place)
            raise
        if not self._ledger.keep(self._place):
            _close(self._place)


def _close(place: Place[ConnectionInterface]) -> None:
    if place.connection is not None:
        place.connection.close()


class AsyncPool(httpcore.AsyncConnectionPool):
    """The connections of an async client, for the tasks of one event loop; ``source`` is what makes them."""

    def __init__(self, source: httpcore.AsyncConnectionPool, limits: httpx.Limits) -> None:
        super().__init__()
        self._source = source
        self._ledger: Ledger[AsyncConnectionInterface] = Ledger(limits)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request as soon as there is a connection for it."""
        origin = _origin(request)
        old = self._ledger.surplus()
        place = self._ledger.take(origin) or await waited(self._ledger, origin, request)
        try:
            for one in old:
                await one.aclose()
            connection = place.usable(origin)
            if connection is None:
                await _aclose(place)
                place.origin, place.connection = origin, (connection := self._source.create_connection(origin))
            response = await connection.handle_async_request(request)
        except BaseException:
            self._ledger.drop(place)
            await _aclose(place)
            raise
        response.stream = _AsyncBody(response.stream, place, self._ledger)
        return response

    async def aclose(self) -> None:
        """Close all connections, also those in use; whoever waits for one is sent away."""
        for connection in self._ledger.close():
            await connection.aclose()


class _AsyncBody:
    """The twin of ``_Body``."""

    def __init__(
        self, stream: Any, place: Place[AsyncConnectionInterface], ledger: Ledger[AsyncConnectionInterface]
    ) -> None:
        self._stream = stream
        self._place = place
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
            self._ledger.drop(self._place)
            await _aclose(self._place)
            raise
        if not self._ledger.keep(self._place):
            await _aclose(self._place)


async def _aclose(place: Place[AsyncConnectionInterface]) -> None:
    if place.connection is not None:
        await place.connection.aclose()


async def waited(
    ledger: Ledger[AsyncConnectionInterface], origin: Origin, request: httpcore.Request | httpx.Request
) -> Place[AsyncConnectionInterface]:
    """Wait in line, as long as the limits of the request allow."""
    from asyncio import Future, get_running_loop, timeout

    turn: Future[Place[AsyncConnectionInterface]] = get_running_loop().create_future()
    with ledger.line(turn, origin):
        async with timeout(_patience(request)):
            return await turn


def _origin(request: httpcore.Request) -> Origin:
    if request.url.scheme not in (b"http", b"https"):
        raise httpcore.UnsupportedProtocol(f"expected http or https, got {request.url.scheme.decode()!r}")
    return request.url.origin


def _patience(request: Any) -> float | None:
    limits: dict[str, float | None] = request.extensions.get("timeout", {})
    return limits.get("pool")


class _Transport(httpx.HTTPTransport):
    def __init__(self, *, limits: httpx.Limits, **settings: Any) -> None:
        super().__init__(limits=limits, **settings)
        self._pool = Pool(self._pool, limits)


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, *, limits: httpx.Limits, **settings: Any) -> None:
        super().__init__(limits=limits, **settings)
        self._pool = AsyncPool(self._pool, limits)


class PooledClient(httpx.Client):
    """A client whose transports, those for the environment's proxies included, choose their connections as above."""

    def _init_transport(self, *_: Any, transport: Any = None, **settings: Any) -> httpx.BaseTransport:
        return transport or _Transport(**settings)

    def _init_proxy_transport(self, *given: Any, **settings: Any) -> httpx.BaseTransport:
        return _Transport(proxy=given[0], **settings)


class AsyncPooledClient(httpx.AsyncClient):
    """The twin of ``PooledClient``."""

    def _init_transport(self, *_: Any, transport: Any = None, **settings: Any) -> httpx.AsyncBaseTransport:
        return transport or _AsyncTransport(**settings)

    def _init_proxy_transport(self, *given: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        return _AsyncTransport(proxy=given[0], **settings)
