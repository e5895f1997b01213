"""The connections of the clients that a core makes, chosen in constant time, with a line to wait in.

httpx leaves that to httpcore, whose pool looks at all of its connections and at all who wait, anew for every request:
with a hundred calls in flight that is most of what a call costs, and thousands that wait hardly move. The connections
themselves are httpcore's, and so are the ways through a proxy.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpcore
import httpx
from httpcore import AsyncConnectionInterface, ConnectionInterface, Origin

from comfydeploy._http.ledger import Ledger, Place


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
