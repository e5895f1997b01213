"""The connections of the clients that a core makes, chosen in constant time, and a queue of waiting calls.

httpx leaves this to httpcore, whose pool scans all of its connections and all calls that wait, again for every
request: with a hundred calls in flight that is most of the cost of a call, and thousands that wait hardly move.
Connections through a proxy are httpcore's.
"""

from collections.abc import AsyncIterator, Iterator
from time import monotonic
from typing import Any, Final, Generic

import httpcore
import httpx
from httpcore import AsyncConnectionInterface, ConnectionInterface, Origin

from comfydeploy._http.http1 import AsyncConnection, Connection, may_replace
from comfydeploy._http.ledger import C, Ledger, Slot
from comfydeploy._http.private_names import before_server
from comfydeploy._wire.deadline import limits_of, remaining

_SERVER_ERROR: Final = 500  # the service closes a connection after one without announcing it, so it is not used again


class Pool(httpcore.ConnectionPool):
    """The connections of a blocking client, for any number of threads."""

    def __init__(self, limits: httpx.Limits, **settings: Any) -> None:
        super().__init__(keepalive_expiry=limits.keepalive_expiry, **settings)
        self._ledger: Ledger[ConnectionInterface] = Ledger(limits)
        self._settings = settings

    def create_connection(self, origin: Origin) -> ConnectionInterface:
        """Create a connection, httpcore's own behind a proxy and where something looks at those."""
        settings = self._settings
        if settings["proxy"] is not None or not may_replace():
            return super().create_connection(origin)
        return Connection(origin, settings["network_backend"], settings["ssl_context"])

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request as soon as there is a connection for it."""
        origin = _origin(request)
        old = self._ledger.outdated()
        slot = self._ledger.take(origin) or self._waited(origin, request)
        try:
            for one in old:
                one.close()
            connection = slot.usable(origin)
            if connection is None:
                _close(slot)
                slot.origin, slot.connection = origin, (connection := self.create_connection(origin))
            response = connection.handle_request(request)
        except BaseException as error:
            _close(slot)
            self._ledger.drop(slot)
            if (of_proxy := before_server(error, slot.connection)) is not None:
                raise of_proxy from error
            raise
        response.stream = _Body(response, slot, self._ledger)
        return response

    def _waited(self, origin: Origin, request: httpcore.Request) -> Slot[ConnectionInterface]:
        from concurrent.futures import Future

        turn: Future[Slot[ConnectionInterface]] = Future()
        with self._ledger.line(turn, origin):
            return turn.result(_patience(request))

    def close(self) -> None:
        """Close the idle connections, and fail every call in line. The network ends the connections in use."""
        for connection in self._ledger.close():
            connection.close()


class _Held(Generic[C]):
    """The bytes of a response; its connection is busy until it is closed."""

    def __init__(self, response: httpcore.Response, slot: Slot[C], ledger: Ledger[C]) -> None:
        self._stream: Any = response.stream
        self._may_stay = response.status < _SERVER_ERROR
        self._slot: Slot[C] | None = slot
        self._ledger = ledger

    def _is_kept(self, slot: Slot[C]) -> bool:
        return self._may_stay and slot.is_clean() and self._ledger.keep(slot)


class _Body(_Held[ConnectionInterface]):
    """The bytes of a response, blocking."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        slot, self._slot = self._slot, None  # so that a Ctrl-C below leaves the last reference to it
        if slot is None:
            return
        try:
            if hasattr(self._stream, "close"):  # ours has none, nor have bytes that a mock returns
                self._stream.close()
        except BaseException:
            _close(slot)
            self._ledger.drop(slot)
            raise
        if not self._is_kept(slot):
            _close(slot)
            self._ledger.drop(slot)


def _close(slot: Slot[ConnectionInterface]) -> None:
    if slot.connection is not None:
        slot.connection.close()


class AsyncPool(httpcore.AsyncConnectionPool):
    """The connections of an async client, for the tasks of one event loop."""

    def __init__(self, limits: httpx.Limits, **settings: Any) -> None:
        super().__init__(keepalive_expiry=limits.keepalive_expiry, **settings)
        self._ledger: Ledger[AsyncConnectionInterface] = Ledger(limits)
        self._settings = settings

    def create_connection(self, origin: Origin) -> AsyncConnectionInterface:
        """Create a connection, as ``Pool`` does."""
        settings = self._settings
        if settings["proxy"] is not None or not may_replace():
            return super().create_connection(origin)
        return AsyncConnection(origin, settings["network_backend"], settings["ssl_context"])

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request as soon as there is a connection for it."""
        origin = _origin(request)
        old = self._ledger.outdated()
        slot = self._ledger.take(origin) or await self._waited(origin, request)
        try:
            if old:
                from asyncio import gather

                await gather(*(one.aclose() for one in old))  # at once, since each takes a turn of the event loop
            connection = slot.usable(origin)
            if connection is None:
                await _aclose(slot)
                slot.origin, slot.connection = origin, (connection := self.create_connection(origin))
            response = await connection.handle_async_request(request)
        except BaseException as error:
            self._ledger.drop(slot)
            await _aclose(slot)
            if (of_proxy := before_server(error, slot.connection)) is not None:
                raise of_proxy from error
            raise
        response.stream = _AsyncBody(response, slot, self._ledger)
        return response

    async def _waited(self, origin: Origin, request: httpcore.Request) -> Slot[AsyncConnectionInterface]:
        from asyncio import Future, get_running_loop, timeout

        turn: Future[Slot[AsyncConnectionInterface]] = get_running_loop().create_future()
        with self._ledger.line(turn, origin):
            async with timeout(_patience(request)):
                return await turn

    def close(self) -> None:
        """Fail every call in line. The network ends the connections."""
        self._ledger.close()

    async def aclose(self) -> None:
        """Close the idle connections, and fail every call in line. The network ends the connections in use."""
        for connection in self._ledger.close():
            await connection.aclose()


class _AsyncBody(_Held[AsyncConnectionInterface]):
    """The bytes of a response, async."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        slot, self._slot = self._slot, None
        if slot is None:
            return
        try:
            if hasattr(self._stream, "aclose"):
                await self._stream.aclose()
        except BaseException:
            self._ledger.drop(slot)
            await _aclose(slot)
            raise
        if not self._is_kept(slot):
            self._ledger.drop(slot)
            await _aclose(slot)


async def _aclose(slot: Slot[AsyncConnectionInterface]) -> None:
    if slot.connection is not None:
        await slot.connection.aclose()


def _origin(request: httpcore.Request) -> Origin:
    if request.url.scheme not in (b"http", b"https"):
        raise httpcore.UnsupportedProtocol(f"expected http or https, got {request.url.scheme.decode()!r}")
    return request.url.origin


def _patience(request: Any) -> float | None:
    return remaining(limits_of(request).get("pool"), monotonic())
