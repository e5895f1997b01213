"""How webhook messages are sent: over the network, or to an application in this process."""

import asyncio
import inspect
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any, Final, Protocol, cast

import httpcore
import httpx

from comfydeploy._emulator.networks import Networks

LIMIT: Final = 20.0  # seconds, redirects included
MOST_REDIRECTS: Final = 10
_CONTENT_TYPE: Final = {"content-type": "application/json"}
_WITH_BODY: Final = frozenset({307, 308})
_REDIRECTS: Final = _WITH_BODY | {301, 302, 303}


class Transport(Protocol):
    """Sends one request and returns the status of the response, and the address that it redirects to."""

    async def send(self, method: str, url: httpx.URL, body: bytes) -> tuple[int, str | None]:
        """Send a request."""
        ...


class NetworkTransport:
    """Sends each request on a connection of its own, to the networks that are allowed.

    It uses httpcore's connections instead of an httpx client, because tests of users replace the transports of httpx
    and the pools of httpcore, and would answer the webhooks of the server as well.
    """

    def __init__(self, networks: Networks) -> None:
        self._networks: Final = networks
        self._backend: Final = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def send(self, method: str, url: httpx.URL, body: bytes) -> tuple[int, str | None]:
        """Send a request."""
        if url.scheme not in {"http", "https"} or not url.host:
            raise httpx.UnsupportedProtocol("the address must start with http:// or https://")
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        # Connecting to the address that was checked leaves no time to change what the name stands for.
        address = await self._networks.resolve(url.host, port)
        stream = await self._backend.connect_tcp(address, port)
        try:
            if url.scheme == "https":
                stream = await stream.start_tls(_tls(), server_hostname=url.host)
            request = httpx.Request(method, url, headers=_CONTENT_TYPE, content=body)
            core = httpcore.Request(
                method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=body,
            )
            connection = httpcore.AsyncHTTP11Connection(core.url.origin, stream)
            response = await connection.handle_async_request(core)
            headers = httpx.Headers(response.headers)
        finally:
            await stream.aclose()
        return response.status, headers.get("location")


class AppTransport:
    """Calls an ASGI or WSGI application in this process."""

    def __init__(self, app: Callable[..., Any]) -> None:
        is_asgi = inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004 - its kind
        self._asgi: Final = httpx.ASGITransport(app=cast("Any", app)) if is_asgi else None
        self._wsgi: Final = None if is_asgi else httpx.WSGITransport(app=cast("Any", app))

    async def send(self, method: str, url: httpx.URL, body: bytes) -> tuple[int, str | None]:
        """Call the application."""
        request = httpx.Request(method, url, headers=_CONTENT_TYPE, content=body)
        if self._asgi:
            response = await self._asgi.handle_async_request(request)
            await response.aread()
        else:
            response = await asyncio.to_thread(self._call, request)
        return response.status_code, response.headers.get("location")

    def _call(self, request: httpx.Request) -> httpx.Response:
        if not self._wsgi:
            raise RuntimeError("not a WSGI application")
        response = self._wsgi.handle_request(request)
        response.read()
        return response


async def deliver(
    transport: Transport, method: str, address: str, body: bytes, *, drops_body: bool = False
) -> tuple[int, str]:
    """Send a message, follow redirects, and return the status and the last method.

    ``drops_body``: after a 301, 302 or 303 it goes on as a GET without the body.
    """
    url = httpx.URL(address)
    async with asyncio.timeout(LIMIT):
        for _ in range(MOST_REDIRECTS + 1):
            status, location = await transport.send(method, url, body)
            if status not in _REDIRECTS or location is None:
                return status, method
            url = url.join(location)
            if drops_body and status not in _WITH_BODY:
                method, body = "GET", b""
    raise httpx.TooManyRedirects(f"more than {MOST_REDIRECTS} redirects")


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
