"""The core: the configuration of all calls, and their connections, which are opened when first needed."""

import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from attrs import field, fields, frozen

from comfydeploy._http.connections import AsyncTransport, Connections
from comfydeploy._wire.request import checked_server
from comfydeploy._wire.transport_errors import request_error
from comfydeploy.errors import Error, InvalidRequestError
from comfydeploy.options import RetryConfig

if TYPE_CHECKING:
    import logging

    import httpx

    from comfydeploy.hooks import Hooks, SDKInit

__all__ = ["SERVERS", "Bearer", "ComfyDeployCore"]

Bearer: TypeAlias = str | Callable[[], str] | Callable[[], Awaitable[str]]

KEY_VARIABLE: Final = "COMFYDEPLOY_API_KEY"
SERVER_VARIABLE: Final = "COMFYDEPLOY_SERVER_URL"
SERVERS: Final = (
    "https://api.comfydeploy.com/api",
    "https://staging.api.comfydeploy.com/api",
    "http://localhost:3011/api",
)


def _start(url: str) -> "SDKInit":
    from comfydeploy.hooks import SDKInit  # loaded already where there is a hook

    return SDKInit(url)


@frozen(kw_only=True, eq=False)
class ComfyDeployCore:
    """Configuration for the standalone functions, and their connections.

    Create one and use it everywhere: from threads, from several event loops, after a fork; it pickles, without its
    connections. Close it with ``with``, ``async with``, ``close()`` or ``aclose()``. Creating one never fails: an error
    in its arguments becomes the ``Failure`` of each call.

    ``bearer``: the API key, or a function that returns it, called for each call (an async one for the async functions).
    ``None``: the key in ``COMFYDEPLOY_API_KEY``, read when the core is created.
    ``server_idx``: 0 production, 1 staging, 2 local; ``server_url`` in place of it: any other address. Without either:
    the address in ``COMFYDEPLOY_SERVER_URL``, otherwise production.
    ``timeout``: seconds for each of connecting, sending and waiting for the next bytes, or an ``httpx.Timeout``;
    ``None``: 10 s to connect, and to wait 60 s for reads, 300 s for queueing, without limit for sync and streams.
    ``retry_config``: off by default. ``hooks``: see ``Hooks``. ``debug_logger``: logs every request and response at
    DEBUG, with secrets hidden.
    ``http_client``, ``async_http_client``: your own httpx clients, used as they are and never closed.
    ``transport``, ``async_transport``: httpx transports for the clients that the core creates. ``async_transport`` may
    also be a function that returns one for the running event loop.
    """

    bearer: Bearer | None = field(default=None, repr=False)
    server_idx: int | None = None
    server_url: str | None = None
    timeout: "float | httpx.Timeout | None" = None
    retry_config: RetryConfig | None = None
    hooks: "Sequence[Hooks]" = ()
    debug_logger: "logging.Logger | None" = None
    http_client: "httpx.Client | None" = field(default=None, repr=False)
    async_http_client: "httpx.AsyncClient | None" = field(default=None, repr=False)
    transport: "httpx.BaseTransport | None" = field(default=None, repr=False)
    async_transport: "AsyncTransport | None" = field(default=None, repr=False)
    address: str | Error = field(init=False, repr=False)
    """The checked address of the server, or the error that each call returns."""
    connections: Connections = field(init=False, repr=False)
    """The open connections of this process."""

    def __attrs_post_init__(self) -> None:
        clients = (self.http_client, self.async_http_client, self.transport, self.async_transport)
        if self.bearer is None:
            object.__setattr__(self, "bearer", os.environ.get(KEY_VARIABLE) or None)
        name = "server_url"
        if self.server_url is None and self.server_idx is None and (found := os.environ.get(SERVER_VARIABLE)):
            object.__setattr__(self, "server_url", found)
            name = SERVER_VARIABLE
        address = self._started(name)
        object.__setattr__(self, "address", address)  # frozen for users
        is_secure = str(address).startswith("https:")
        object.__setattr__(self, "connections", Connections(*clients, is_secure=is_secure))

    def _started(self, name: str) -> str | Error:
        try:
            url = self._chosen_server(name)
            for hook in self.hooks:
                if hook.sdk_init and (changed := hook.sdk_init(_start(url))):
                    url = checked_server(changed.server_url, "sdk_init")
        except InvalidRequestError as error:
            return error.with_traceback(None)
        except Exception as error:  # noqa: BLE001 - an exception of a hook is the error of each call
            return request_error(error, "not_sent", closed=False)
        return url

    def _chosen_server(self, name: str) -> str:
        if self.server_url is not None:
            return checked_server(self.server_url, name)
        index = 0 if self.server_idx is None else self.server_idx
        if type(index) is not int or not 0 <= index < len(SERVERS):
            raise InvalidRequestError(f"server_idx: expected 0 to {len(SERVERS) - 1}, got {index!r}")
        return SERVERS[index]

    def __reduce__(self) -> tuple[Any, ...]:
        # Created again when unpickled: connections cannot be pickled, and `sdk_init` hooks are called there too.
        given = {
            attribute.name: getattr(self, attribute.name) for attribute in fields(ComfyDeployCore) if attribute.init
        }
        return partial(type(self), **given), ()

    def close(self) -> None:
        """Close the connections that this core opened. Later calls are a ``RequestAbortedError``."""
        self.connections.close()

    async def aclose(self) -> None:
        """Close the connections that this core opened, including those of the running event loop."""
        await self.connections.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
