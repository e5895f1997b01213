"""The extra ``aiohttp``: httpx on the connections of aiohttp, which has less to do for each request.

httpx-aiohttp is the bridge between them. What it leaves open is settled here: the line to wait in and the limits are
those of ``_ledger``, cookies are not kept, and no failure is told as another one. Above all it takes a connection that
breaks after the request was sent for one that was never made, which would have a run started twice.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeGuard

import aiohttp
import httpcore
import httpx
from httpcore import AsyncConnectionInterface, Origin
from httpx_aiohttp import AiohttpTransport

from comfydeploy._http.ledger import Ledger, Place
from comfydeploy._http.pool import AsyncPooledClient, waited

_ANYWHERE: Final = Origin(b"", b"", 0)

_MEANINGS: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientProxyConnectionError, httpx.ProxyError),
    (aiohttp.ClientHttpProxyError, httpx.ProxyError),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)


class AiohttpClient(AsyncPooledClient):
    """A client whose transports, but for those of SOCKS proxies, use aiohttp's connections."""

    def _init_transport(self, *_: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        return _Transport(**settings)

    def _init_proxy_transport(self, *given: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        proxy: httpx.Proxy = given[0]
        if proxy.url.scheme.startswith("socks"):  # aiohttp cannot speak to them
            return super()._init_proxy_transport(proxy, **settings)
        return _Transport(proxy=proxy, **settings)


class _Transport(AiohttpTransport):
    """The connections of one session of aiohttp's, which chooses among them by itself once there is a place for one."""

    def __init__(self, *, limits: httpx.Limits, **settings: Any) -> None:
        super().__init__(limits=limits, **settings)
        self._ledger: Ledger[AsyncConnectionInterface] = Ledger(limits)

    def get_client(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=self.ssl_context, limit=0, keepalive_timeout=self.limits.keepalive_expiry)
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        # Else a read is sent again when its connection breaks, although nobody asked for that.
        session._retry_connection = False  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - it has no other name
        return session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        given, limits = request.extensions, request.extensions["timeout"]
        self._ledger.surplus()
        try:
            place = self._ledger.take(_ANYWHERE) or await waited(self._ledger, _ANYWHERE, request)
        except httpcore.PoolTimeout as error:
            raise httpx.PoolTimeout(str(error)) from None
        # The wait is over, so that aiohttp's limit for it is that of connecting, names included.
        request.extensions = {**given, "timeout": {**limits, "pool": limits["connect"]}}
        try:
            response = await super().handle_async_request(request)
        except BaseException as error:
            self._ledger.drop(place)
            if not isinstance(error, aiohttp.ClientError | httpx.TransportError):
                raise
            lost = _meant(error)
        else:
            response.stream = _Body(response.stream, limits, place, self._ledger)
            return response
        finally:
            request.extensions = given
        raise lost  # out here, where it is not linked to what it replaces, which holds the headers with the token

    async def aclose(self) -> None:
        self._ledger.close()
        await super().aclose()


class _Body(httpx.AsyncByteStream):
    """The bytes of an answer."""

    def __init__(
        self,
        stream: Any,
        limits: Mapping[str, float | None],
        place: Place[AsyncConnectionInterface],
        ledger: Ledger[AsyncConnectionInterface],
    ) -> None:
        self._stream = stream
        self._limits = limits
        self._place = place
        self._ledger = ledger

    async def __aiter__(self) -> AsyncIterator[bytes]:
        response: Any = self._stream._aiohttp_response  # noqa: SLF001 - it is shown nowhere else
        if response.connection is not None and response.connection.protocol is not None:
            # httpx looks this limit up as it begins to read, aiohttp before it sends: a stream has another one by now.
            response.connection.protocol.read_timeout = self._limits["read"]
            response.connection.protocol.start_timeout()
        try:
            async for chunk in self._stream:
                yield chunk
        except (aiohttp.ClientError, httpx.TransportError) as error:
            lost = _meant(error)
        else:
            return
        if rest := response.content._read_nowait(-1):  # noqa: SLF001 - what came before the failure, which hides it
            yield rest
        raise lost

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._ledger.keep(self._place)


def _meant(error: Exception) -> Exception:
    found = error if isinstance(error, aiohttp.ClientError) else error.__cause__
    below = None if found is None else found.__cause__
    if type(found) in (aiohttp.ClientConnectionError, aiohttp.ClientOSError) and _is_of_a_body(below):
        return below
    kind = next((meaning for known, meaning in _MEANINGS if isinstance(found, known)), type(error))
    return kind(str(error))


def _is_of_a_body(error: BaseException | None) -> TypeGuard[Exception]:
    """Tell what the body of the request raised as it was read, such as a progress callback, from what a socket did."""
    is_of_a_socket = (
        isinstance(error, aiohttp.ClientError | ConnectionError) or getattr(error, "errno", None) is not None
    )
    return isinstance(error, Exception) and not is_of_a_socket
