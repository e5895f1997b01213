"""httpx clients, made when they are first needed: one per process, and one per event loop for async calls."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from comfydeploy.errors import InvalidRequestError, RequestAbortedError

if TYPE_CHECKING:
    import ssl
    from asyncio import AbstractEventLoop

    import httpx

AsyncTransport: TypeAlias = Literal["httpx", "aiohttp"]
"""What carries the async calls; aiohttp where its extra is installed, unless a core is told."""


class Connections:
    """The clients of one core.

    No locks: a fork could leave one locked for ever. Two threads that make the first client at the same time keep
    one of the two. A child process finds none under its own id and makes its own.
    """

    def __init__(
        self,
        given: "httpx.Client | None",
        async_given: "httpx.AsyncClient | None",
        transport: "httpx.BaseTransport | None",
        async_transport: "httpx.AsyncBaseTransport | AsyncTransport | None",
    ) -> None:
        self.given = given
        self.async_given = async_given
        self._transport = transport
        self._async_transport = async_transport
        self._blocking: dict[tuple[int, bool], httpx.Client] = {}
        self._awaiting: dict[tuple[AbstractEventLoop, bool], httpx.AsyncClient] = {}
        self._closed = False

    def client(self, *, lasting: bool) -> "httpx.Client":
        """Give the client for a blocking call; ``lasting`` ones have connections of their own."""
        if self.given is not None:
            return self.given
        self._check_open()
        key = (os.getpid(), lasting)
        client = self._blocking.get(key)
        if client is None:
            made = self._made(lasting=lasting)
            client = self._blocking.setdefault(key, made)
            if client is not made:
                made.close()
        return client

    def async_client(self, *, lasting: bool) -> "httpx.AsyncClient":
        """Give the client for an async call, made for the running event loop."""
        if self.async_given is not None:
            return self.async_given
        self._check_open()
        from asyncio import get_running_loop

        key = (get_running_loop(), lasting)
        client = self._awaiting.get(key)
        if client is None:
            for old in [old for old in self._awaiting if old[0].is_closed()]:
                self._awaiting.pop(old, None)
            client = self._awaiting[key] = self._made_async(lasting=lasting)
        return client

    def close(self) -> None:
        """Close this process's blocking clients and forget the async ones, which only their event loop can close."""
        self._closed = True
        self._awaiting.clear()
        for key in [key for key in self._blocking if key[0] == os.getpid()]:
            self._blocking.pop(key).close()

    async def aclose(self) -> None:
        """Close the clients of the running event loop and the blocking ones."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        clients = [self._awaiting.pop(key) for key in list(self._awaiting) if key[0] is loop]
        self.close()
        for client in clients:
            await client.aclose()

    def _made(self, *, lasting: bool) -> "httpx.Client":
        from comfydeploy._http.pool import PooledClient

        return PooledClient(**_settings(lasting=lasting), transport=self._transport)

    def _made_async(self, *, lasting: bool) -> "httpx.AsyncClient":
        given = self._async_transport or ("aiohttp" if _has_aiohttp() else "httpx")
        if given == "aiohttp":
            if not _has_aiohttp():
                raise InvalidRequestError("async_transport: 'aiohttp' needs the extra: install 'comfydeploy[aiohttp]'")
            from comfydeploy._http.aiohttp import AiohttpClient

            return AiohttpClient(**_settings(lasting=lasting))
        if isinstance(given, str) and given != "httpx":
            raise InvalidRequestError(f"async_transport: expected a transport, 'httpx' or 'aiohttp', got {given!r}")
        from comfydeploy._http.pool import AsyncPooledClient

        return AsyncPooledClient(**_settings(lasting=lasting), transport=None if given == "httpx" else given)

    def _check_open(self) -> None:
        if self._closed:
            raise RequestAbortedError("The client was closed", "not_sent")


def _settings(*, lasting: bool) -> dict[str, Any]:
    import httpx

    # Streams and synchronous runs keep a connection for minutes: in the pool of the others they would leave no room,
    # and a limit of their own would make the next one wait without a word.
    limits = httpx.Limits(max_connections=None if lasting else 100, max_keepalive_connections=100)
    return {"limits": limits, "verify": _tls(), "follow_redirects": False}


@cache
def _tls() -> "ssl.SSLContext":
    """Give the one context of the process: it takes most of the time that a client takes to make."""
    from comfydeploy._http.tls import LateContext

    return LateContext()


@cache
def _has_aiohttp() -> bool:
    from importlib.util import find_spec

    return find_spec("httpx_aiohttp") is not None
