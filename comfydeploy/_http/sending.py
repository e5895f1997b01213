"""Sending one attempt through httpx, blocking and async, and reading its response."""

from typing import TYPE_CHECKING, Any, cast

from comfydeploy._http.connections import Connections
from comfydeploy._wire.attempt import Attempt
from comfydeploy._wire.reply import Reply, unexpected
from comfydeploy._wire.transport_errors import request_error
from comfydeploy.errors import ComfyDeployError, Error, Fate

if TYPE_CHECKING:
    import httpx

    from comfydeploy._wire.upload import Window


def send(connections: Connections, attempt: Attempt) -> Reply | Error:
    """Send an attempt and return what came of it."""
    fate: Fate = "not_sent"
    client: httpx.Client | None = None
    response: httpx.Response | None = None
    try:
        client = connections.client(lasting=attempt.is_lasting)
        with attempt.opened_upload() as file:
            limits = dict(attempt.limits)
            request = _request(client, attempt, file, limits)
            fate = "unknown"
            response = client.send(request, stream=True, auth=None, follow_redirects=False)
        head = _head(response)
        handling = attempt.body_handling(response.status_code, head.get("content-type", ""))
        if handling == "keep_open":
            limits["read"] = attempt.idle_limit  # the transport looks it up as it begins to read the body
            return Reply(response.status_code, head, source=(response, client))
        try:
            return Reply(response.status_code, head, _read(response, head) if handling == "read" else b"")
        finally:
            response.close()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever breaks here is an outcome
        return _outcome(error, fate, attempt, response, closed=client is not None and client.is_closed)


async def send_async(connections: Connections, attempt: Attempt) -> Reply | Error:
    """Send an attempt and return what came of it, async."""
    fate: Fate = "not_sent"
    client: httpx.AsyncClient | None = None
    response: httpx.Response | None = None
    try:
        client = connections.async_client(lasting=attempt.is_lasting)
        with attempt.opened_upload() as file:
            limits = dict(attempt.limits)
            request = _request(client, attempt, file, limits)
            fate = "unknown"
            response = await client.send(request, stream=True, auth=None, follow_redirects=False)
        head = _head(response)
        handling = attempt.body_handling(response.status_code, head.get("content-type", ""))
        if handling == "keep_open":
            limits["read"] = attempt.idle_limit
            return Reply(response.status_code, head, source=(response, client))
        try:
            return Reply(response.status_code, head, await _read_async(response, head) if handling == "read" else b"")
        finally:
            await response.aclose()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever breaks here is an outcome
        return _outcome(error, fate, attempt, response, closed=client is not None and client.is_closed)


def _request(
    client: "httpx.Client | httpx.AsyncClient",
    attempt: Attempt,
    file: "Window | None",
    limits: dict[str, float | None],
) -> "httpx.Request":
    request = attempt.request
    body: dict[str, Any] = {"content": request.content}
    if file is not None and request.upload is not None:
        body = {"files": {"file": (request.upload.name, file, request.upload.media_type)}}
    built = client.build_request(
        request.method, request.url, headers=attempt.headers, extensions={"timeout": limits}, **body
    )
    built.headers.pop("cookie", None)  # one of the server's would take precedence over the token
    return built


def _read(response: "httpx.Response", head: dict[str, str]) -> bytes:
    stream: Any = response.stream
    return response.read() if _needs_httpx(response, head) else b"".join(stream)


async def _read_async(response: "httpx.Response", head: dict[str, str]) -> bytes:
    stream: Any = response.stream
    return await response.aread() if _needs_httpx(response, head) else b"".join([chunk async for chunk in stream])


def _needs_httpx(response: "httpx.Response", head: dict[str, str]) -> bool:
    """Check whether a body has to be decompressed, or has been read by a transport or hook of the caller.

    Any other is read as it comes: the three iterators that httpx puts around it take as long as to parse it.
    """
    return "content-encoding" in head or response.is_stream_consumed


def _head(response: "httpx.Response") -> dict[str, str]:
    return dict(response.headers.items())  # of a mapping alone `dict` would look up every name by itself


def _outcome(
    error: Exception, fate: Fate, attempt: Attempt, response: "httpx.Response | None", *, closed: bool
) -> Reply | Error:
    if isinstance(error, ComfyDeployError):
        return cast("Error", error.with_traceback(None))  # the connections raise no other
    refused: httpx.Response | None = getattr(error, "response", None)
    if refused is not None:  # by a response hook of the caller's client, such as `raise_for_status`
        return Reply(refused.status_code, _head(refused), _content(refused))
    if response is not None and type(error).__name__ == "DecodingError":
        reply = Reply(response.status_code, _head(response)).without(attempt.token)
        found = unexpected(reply, f"The body of the response cannot be decompressed: {error}")
        from comfydeploy._wire.causes import cause_of  # few processes ever need it

        found.__cause__ = cause_of(error, attempt.token, located=False)
        return found
    return request_error(error, fate, closed=closed, sent=attempt.token)


def _content(response: "httpx.Response") -> bytes:
    try:
        return response.content
    except RuntimeError:  # it was refused before its body was read
        return b""
