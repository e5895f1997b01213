"""The extra ``aiohttp``: httpx on the connections of aiohttp, which has less to do for each request.

httpx-aiohttp is the bridge between them. What it leaves open is settled here: the line to wait in and the limits are
those of ``_pool``, cookies are not kept, and no failure is told as another one. Above all it takes a connection that
breaks after the request was sent for one that was never made, which would have a run started twice.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from comfydeploy._pool import AsyncPool, AsyncPooledClient

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

    def _init_transport(self, *given: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        return AiohttpPool(*given, **settings)

    def _init_proxy_transport(self, proxy: httpx.Proxy, *given: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        if proxy.url.scheme.startswith("socks"):  # aiohttp cannot speak to them
            return super()._init_proxy_transport(proxy, *given, **settings)
        return AiohttpPool(*given, proxy=proxy, **settings)


class AiohttpPool(AsyncPool):
    """The connections of one session of aiohttp's."""

    def __init__(self, *, limits: httpx.Limits, **settings: Any) -> None:
        self._session = AiohttpTransport(client=self._opened, **settings)
        self._keepalive_expiry = limits.keepalive_expiry
        super().__init__(lambda: _Connection(self._session), limits)

    def _opened(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self._session.ssl_context, limit=0, keepalive_timeout=self._keepalive_expiry
        )
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        # Else a read is sent again when its connection breaks, although nobody asked for that.
        session._retry_connection = False  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - it has no other name
        return session

    async def aclose(self) -> None:
        await super().aclose()
        await self._session.aclose()


class _Connection(httpx.AsyncBaseTransport):
    """The right to use one of a session's connections at a time."""

    def __init__(self, session: AiohttpTransport) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        given, limits = request.extensions, request.extensions["timeout"]
        # Who is here has waited for a connection: that limit is aiohttp's for all of connecting, names included.
        request.extensions = {**given, "timeout": {**limits, "pool": limits["connect"]}}
        try:
            response = await self._session.handle_async_request(request)
        except (aiohttp.ClientError, httpx.TransportError) as error:
            lost = _meant(error)
        else:
            response.stream = _Body(response.stream, limits)
            return response
        finally:
            request.extensions = given
        raise lost  # out here, where it is not linked to what it replaces, which holds the headers with the token


class _Body(httpx.AsyncByteStream):
    """The bytes of an answer."""

    def __init__(self, stream: Any, limits: dict[str, float | None]) -> None:
        self._stream = stream
        self._limits = limits

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
        await self._stream.aclose()


def _meant(error: Exception) -> Exception:
    cause = error if isinstance(error, aiohttp.ClientError) else error.__cause__
    if type(cause) is aiohttp.ClientConnectionError and isinstance(cause.__cause__, Exception):
        return cause.__cause__  # what reading the body of the request raised
    kind = next((meaning for known, meaning in _MEANINGS if isinstance(cause, known)), type(error))
    return kind(str(error))
