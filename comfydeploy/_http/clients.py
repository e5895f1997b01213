"""The httpx clients that a core makes.

They leave out what the core does itself or does not need: defaults and cookies that are merged into each request, which
cost a tenth of a call. Requests go through ``send`` as with any client, so that tools which patch it see them.
"""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpx

from comfydeploy._http.addresses import library_of
from comfydeploy._http.network import Network
from comfydeploy._http.pool import AsyncPool, Pool
from comfydeploy._http.private_names import AsyncPoolTransport, PoolTransport
from comfydeploy._http.proxies import environment_proxies
from comfydeploy._http.tls import shared_context
from comfydeploy._wire.attempt import ENCODINGS

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


_WITH_LENGTH: Final = {"POST", "PUT", "PATCH"}  # requests that have a content-length also without a body


class _Plain:
    """The common part of the clients: they send a request as it was built, and ignore cookies."""

    library: Any = httpx

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._ignored = _ignored_cookies(self.library)

    def build_request(self, method: str, url: Any, *, headers: Any = None, content: Any = None, **parts: Any) -> Any:
        """Create a request from its parts alone."""
        address = self.library.URL(url)
        host = address.netloc.decode("ascii")
        merged: dict[str, str] = {"host": host, "accept-encoding": ENCODINGS, **(headers or {})}
        if content is None or type(content) is bytes:
            # With a stream httpx adds no headers: it would go over all of them three times.
            if content or method in _WITH_LENGTH:
                merged.setdefault("content-length", str(len(content or b"")))
            request = self.library.Request(
                method, address, headers=merged, stream=self.library.ByteStream(content or b""), **parts
            )
            request.read()  # so that tools find its content
            return request
        return self.library.Request(method, address, headers=merged, content=content, **parts)

    @property
    def cookies(self) -> Any:
        """A jar that stays empty."""
        return self._ignored

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        """Ignore cookies."""


class PooledClient(_Plain, httpx.Client):
    """A blocking client with its own connections, including those through the environment's proxies."""

    def __init__(self, limits: httpx.Limits) -> None:
        self.network = Network()

        def transport(proxy: httpcore.Proxy | None = None) -> PoolTransport:
            return PoolTransport(Pool(limits, ssl_context=shared_context(), proxy=proxy, network_backend=self.network))

        mounts = {pattern: proxy and transport(proxy) for pattern, proxy in environment_proxies().items()}
        super().__init__(transport=transport(), mounts=mounts)

    @property
    def is_closed(self) -> bool:
        """Return whether ``close`` was called."""
        return self.network.is_closed or super().is_closed

    def close(self) -> None:
        """Close all connections, also those in use, whose calls fail."""
        self.network.close()
        super().close()


class AsyncPooledClient(_Plain, httpx.AsyncClient):
    """An async client with its own connections, for one event loop."""

    def __init__(self, limits: httpx.Limits) -> None:
        from comfydeploy._http.async_network import AsyncNetwork

        self.network = AsyncNetwork()
        self._pools: list[AsyncPool] = []

        def transport(proxy: httpcore.Proxy | None = None) -> AsyncPoolTransport:
            pool = AsyncPool(limits, ssl_context=shared_context(), proxy=proxy, network_backend=self.network)
            self._pools.append(pool)
            return AsyncPoolTransport(pool)

        mounts = {pattern: proxy and transport(proxy) for pattern, proxy in environment_proxies().items()}
        super().__init__(transport=transport(), mounts=mounts)

    @property
    def is_closed(self) -> bool:
        """Return whether ``aclose`` or ``end`` was called."""
        return self.network.is_closed or super().is_closed

    def end_from_anywhere(self, loop: "AbstractEventLoop") -> None:
        """Send nothing more, and end all connections and calls as soon as the event loop runs."""
        self.network.is_closed = True
        with suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(self.end)

    def end(self) -> None:
        """End all connections and all calls, in the thread of the event loop."""
        self.network.close()
        for pool in self._pools:
            pool.close()

    async def aclose(self) -> None:
        """Close all connections, also those in use, whose calls fail."""
        self.end()
        await super().aclose()


def client_for(transport: Any) -> Any:
    """Return a client that sends through a given transport."""
    return _classes(_library(transport))[0](transport=transport)


def async_client_for(transport: Any) -> Any:
    """Return an async client that sends through a given transport."""
    return _classes(_library(transport))[1](transport=transport)


def _library(transport: object) -> Any:
    return library_of(type(transport)) or httpx  # a client of one refuses the responses of the other


@cache
def _classes(library: Any) -> tuple[Any, Any]:
    return (
        type("PlainClient", (_Plain, library.Client), {"library": library}),
        type("PlainAsyncClient", (_Plain, library.AsyncClient), {"library": library}),
    )


@cache
def _ignored_cookies(library: Any) -> Any:
    def ignore(*_: Any) -> None:
        """Keep no cookies and send none."""

    return type("IgnoredCookies", (library.Cookies,), {"extract_cookies": ignore, "set_cookie_header": ignore})()
