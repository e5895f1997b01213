"""httpx clients, created when they are first needed: one per process, and one per event loop for async calls."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from comfydeploy._http.loading import AWAITED, BLOCKING, CONTEXT, READING, load, watch_forks
from comfydeploy.errors import InvalidRequestError, RequestAbortedError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    import httpx

AsyncTransport: TypeAlias = "httpx.AsyncBaseTransport | Callable[[], httpx.AsyncBaseTransport]"
"""A transport for all async calls, or what returns one for the running event loop."""


class Connections:
    """The clients of one core.

    No locks: a fork could leave one locked. Two threads that make the first client at the same time keep one of the
    two. A child process finds none under its own id and makes its own.
    """

    def __init__(
        self,
        given: "httpx.Client | None",
        async_given: "httpx.AsyncClient | None",
        transport: "httpx.BaseTransport | None",
        async_transport: "AsyncTransport | None",
        *,
        is_secure: bool,
    ) -> None:
        """Keep what a core was given; ``is_secure`` if its server is called over TLS."""
        watch_forks()
        self.given = given
        self.async_given = async_given
        self._transport = transport
        self._async_transport = async_transport
        self._is_secure = is_secure
        self._blocking: dict[tuple[int, bool], httpx.Client] = {}
        self._awaiting: dict[tuple[AbstractEventLoop, bool], httpx.AsyncClient] = {}
        self._closed = False

    def client(self, *, lasting: bool) -> "httpx.Client":
        """Return the client for a blocking call; ``lasting`` calls have separate connections."""
        if self.given is not None:
            _check(self.given, "http_client", "an httpx.Client", "send", "close")
            return self.given
        self._check_open()
        key = (os.getpid(), lasting and self._transport is None)
        client = self._blocking.get(key)
        if client is None:
            client = self._blocking.setdefault(key, self._made(lasting=lasting))
            if self._closed:  # meanwhile
                self.close()
                self._check_open()
        return client

    def async_client(self, *, lasting: bool) -> "httpx.AsyncClient":
        """Return the client for an async call, made for the running event loop."""
        loop = running_loop()
        if self.async_given is not None:
            _check(self.async_given, "async_http_client", "an httpx.AsyncClient", "send", "aclose")
            return self.async_given
        self._check_open()
        key = (loop, lasting and self._async_transport is None)
        client = self._awaiting.get(key)
        if client is None:
            for old in list(self._awaiting):  # a copy, because other threads have other event loops
                if old[0].is_closed():
                    self._awaiting.pop(old, None)
            client = self._awaiting[key] = self._made_async(lasting=lasting)
            if self._closed:
                self.close()
                self._check_open()
        return client

    def close(self) -> None:
        """Close all clients of this process; those of event loops as soon as these run."""
        self._closed = True
        for process, lasting in list(self._blocking):
            if process == os.getpid():
                client = self._blocking.pop((process, lasting), None)
                if client is not None:  # otherwise another thread closes it
                    client.close()
        for loop, lasting in list(self._awaiting):
            end = getattr(self._awaiting.pop((loop, lasting), None), "end_from_anywhere", None)
            if end is not None:  # the client of a given transport can only be awaited
                end(loop)

    async def aclose(self) -> None:
        """Close the clients of the running event loop, and then as ``close`` does."""
        loop = running_loop()
        clients = [self._awaiting.pop(key, None) for key in list(self._awaiting) if key[0] is loop]
        self.close()
        for client in filter(None, clients):
            await client.aclose()

    def _made(self, *, lasting: bool) -> Any:
        self._load(BLOCKING, own=self._transport is None)
        from comfydeploy._http.clients import PooledClient, client_for

        if self._transport is None:
            return PooledClient(_limits(lasting=lasting))
        _check(self._transport, "transport", "an httpx.BaseTransport", "handle_request")
        return client_for(self._transport)

    def _made_async(self, *, lasting: bool) -> Any:
        given: Any = self._async_transport
        self._load(AWAITED, own=given is None)
        from comfydeploy._http.clients import AsyncPooledClient, async_client_for

        if given is None:
            return AsyncPooledClient(_limits(lasting=lasting))
        # A class has the methods of its instances, but it is a callable that returns one.
        is_transport = hasattr(given, "handle_async_request") and not isinstance(given, type)
        transport = given() if callable(given) and not is_transport else given
        _check(transport, "async_transport", "an httpx.AsyncBaseTransport or what returns one", "handle_async_request")
        return async_client_for(transport)

    def _load(self, modules: tuple[str, ...], *, own: bool) -> None:
        """Import what a first call needs, beside the CA certificates where connections of our own need these."""
        if self._is_secure and own:
            load(CONTEXT, modules)
            from comfydeploy._http.tls import shared_context

            shared_context().begin()
        load(modules, READING)

    def _check_open(self) -> None:
        if self._closed:
            raise client_closed()


def client_closed() -> RequestAbortedError:
    """Return the error of a call for which a client was closed too early."""
    return RequestAbortedError("The client was closed", "not_sent")


def _limits(*, lasting: bool) -> "httpx.Limits":
    import httpx

    # Streams and synchronous runs hold a connection for minutes: in the common pool they would leave no room,
    # and a limit for them would make the next one wait silently.
    return httpx.Limits(max_connections=None if lasting else 100, max_keepalive_connections=100)


def running_loop() -> "AbstractEventLoop":
    """Return the running event loop; ``InvalidRequestError`` where it is another library's than asyncio's."""
    from asyncio import get_running_loop

    try:
        return get_running_loop()
    except RuntimeError:
        raise InvalidRequestError("asyncio only: no event loop of asyncio is running here") from None


def _check(given: object, name: str, expected: str, *methods: str) -> None:
    """Check that an argument has the methods, which differ between blocking and async ones."""
    for method in methods:
        if not callable(getattr(given, method, None)):
            raise InvalidRequestError(f"{name}: expected {expected}, got {type(given).__name__}")
