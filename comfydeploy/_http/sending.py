"""Sending the request of an exchange through httpx, in both colours, and taking what comes back."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from comfydeploy._http.connections import Connections
from comfydeploy._wire.exchange import Exchange
from comfydeploy._wire.reply import Reply, unexpected
from comfydeploy._wire.troubles import trouble, without_frames
from comfydeploy.errors import Error

if TYPE_CHECKING:
    import httpx

    from comfydeploy._wire.upload import Window


def send(connections: Connections, exchange: Exchange[Any]) -> Reply | Error:
    """Make one attempt."""
    client = connections.client(lasting=exchange.is_lasting)
    is_ours = connections.given is None
    with exchange.opened_upload() as file:
        request = _outgoing(client, exchange, file, is_ours=is_ours)
        exchange.fate = "unknown"
        return _sent(client, request, exchange, is_ours=is_ours)


def _sent(client: "httpx.Client", request: "httpx.Request", exchange: Exchange[Any], *, is_ours: bool) -> Reply | Error:
    import httpx

    try:
        if is_ours:
            response = _transport(client, request).handle_request(request)
            response.request = request
        else:
            response = client.send(request, stream=True, follow_redirects=False)
        head = _head(response)
        reading = exchange.what_to_read(response.status_code, head.get("content-type", ""))
        if reading == "later":
            return _open_reply(response, client, exchange)
        try:
            return Reply(response.status_code, head, _read(response, head) if reading == "all" else b"")
        except httpx.DecodingError as error:
            return _undecodable(response, error, exchange)
        finally:
            response.close()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever breaks here is an outcome
        return trouble(error, exchange.fate, closed=client.is_closed)


async def send_async(connections: Connections, exchange: Exchange[Any]) -> Reply | Error:
    """Make one attempt, awaited."""
    client = connections.async_client(lasting=exchange.is_lasting)
    is_ours = connections.async_given is None
    with exchange.opened_upload() as file:
        request = _outgoing(client, exchange, file, is_ours=is_ours)
        exchange.fate = "unknown"
        return await _sent_async(client, request, exchange, is_ours=is_ours)


async def _sent_async(
    client: "httpx.AsyncClient", request: "httpx.Request", exchange: Exchange[Any], *, is_ours: bool
) -> Reply | Error:
    import httpx

    try:
        if is_ours:
            response = await _transport_async(client, request).handle_async_request(request)
            response.request = request
        else:
            response = await client.send(request, stream=True, follow_redirects=False)
        head = _head(response)
        reading = exchange.what_to_read(response.status_code, head.get("content-type", ""))
        if reading == "later":
            return _open_reply(response, client, exchange)
        try:
            return Reply(response.status_code, head, await _read_async(response, head) if reading == "all" else b"")
        except httpx.DecodingError as error:
            return _undecodable(response, error, exchange)
        finally:
            await response.aclose()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever breaks here is an outcome
        return trouble(error, exchange.fate, closed=client.is_closed)


def _outgoing(
    client: "httpx.Client | httpx.AsyncClient", exchange: Exchange[Any], file: "Window | None", *, is_ours: bool
) -> "httpx.Request":
    request = exchange.prepare()
    body: dict[str, Any] = {"content": request.content, "extensions": {"timeout": exchange.limits}}
    if file is not None and request.upload is not None:
        body["files"] = {"file": (request.upload.name, file, request.upload.media_type)}
    headers = {"authorization": f"Bearer {exchange.token.reveal()}", **request.headers}
    if is_ours:
        import httpx

        # Not through the client, which would add the cookies that it was sent: one of them would beat the token.
        headers["accept-encoding"] = client.headers["accept-encoding"]
        return httpx.Request(request.method, _url(request.url), headers=headers, **body)
    built = client.build_request(request.method, request.url, headers=headers, **body)
    built.headers.pop("cookie", None)
    return built


def _transport(client: "httpx.Client", request: "httpx.Request") -> "httpx.BaseTransport":
    """Give what a client of ours would send a request through, be it a proxy of the environment.

    What it adds on the way there is what we do not want, cookies, redirects and credentials of its own, and a twentieth
    of a call's time.
    """
    if client.is_closed:
        raise RuntimeError("closed by another thread")  # as the client itself says
    return client._transport_for_url(request.url)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no other way


def _transport_async(client: "httpx.AsyncClient", request: "httpx.Request") -> "httpx.AsyncBaseTransport":
    if client.is_closed:
        raise RuntimeError("closed by another task")
    return client._transport_for_url(request.url)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the same


def _read(response: "httpx.Response", head: dict[str, str]) -> bytes:
    stream: Any = response.stream
    return response.read() if _needs_httpx(response, head) else b"".join(stream)


async def _read_async(response: "httpx.Response", head: dict[str, str]) -> bytes:
    stream: Any = response.stream
    return await response.aread() if _needs_httpx(response, head) else b"".join([chunk async for chunk in stream])


def _needs_httpx(response: "httpx.Response", head: dict[str, str]) -> bool:
    """Tell whether a body has to be decompressed, or has been read by a transport or hook of the caller.

    Any other is taken as it comes: the three iterators that httpx puts around it take as long as to parse it.
    """
    return "content-encoding" in head or response.is_stream_consumed


@lru_cache(maxsize=128)
def _url(text: str) -> "httpx.URL":
    """Give an address, read once: a run is asked for again and again, and reading one takes as long as an answer."""
    import httpx

    return httpx.URL(text)


def _head(response: "httpx.Response") -> dict[str, str]:
    return dict(response.headers.items())  # of a mapping alone `dict` would look up every name by itself


def _open_reply(
    response: "httpx.Response", client: "httpx.Client | httpx.AsyncClient", exchange: Exchange[Any]
) -> Reply:
    # The transport looks these up as it begins to read the body.
    exchange.limits["read"] = exchange.idle_limit
    return Reply(response.status_code, _head(response), source=(response, client))


def _undecodable(response: "httpx.Response", error: Exception, exchange: Exchange[Any]) -> Error:
    reply = Reply(response.status_code, _head(response)).without(exchange.token)
    found = unexpected(reply, f"The body of the answer cannot be decompressed: {error}")
    found.__cause__ = without_frames(error)
    return found
