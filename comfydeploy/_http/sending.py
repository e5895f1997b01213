"""Sending one attempt through httpx, blocking and async, and reading its response."""

from collections.abc import AsyncIterable, Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from comfydeploy._http.addresses import address
from comfydeploy._http.connections import Connections, client_closed
from comfydeploy._wire.attempt import ANYTHING, Attempt, is_requested, too_large
from comfydeploy._wire.redaction import without_secret
from comfydeploy._wire.reply import Reply, unexpected
from comfydeploy._wire.transport_errors import request_error
from comfydeploy.errors import ComfyDeployError, Error, Fate

if TYPE_CHECKING:
    import httpx

    from comfydeploy._wire.upload import Window


def send(connections: Connections, attempt: Attempt) -> Reply | Error:
    """Send an attempt and return its outcome."""
    fate: Fate = "not_sent"
    client: httpx.Client | None = None
    request: httpx.Request | None = None
    response: httpx.Response | None = None
    window: Window | None = None
    limits = dict(attempt.limits)
    try:
        client = connections.client(lasting=attempt.is_lasting)
        if client is connections.given:
            limits = attempt.limits_beside(client.timeout.as_dict(), monotonic())
        body: Iterable[bytes] | bytes | None = attempt.request.content
        if attempt.request.upload is not None:
            from comfydeploy._http import forms  # loads the table of media types

            window = forms.Window(attempt.request.upload)
            window.open()
            body = forms.form(window)
        request = _request(client, attempt, limits, body)
        _check_open(client)
        fate = "unknown"
        response = client.send(request, stream=True, auth=None, follow_redirects=False)
        head = _head(response)
        handling = attempt.body_handling(response.status_code, head.get("content-type", ""))
        if handling == "keep_open" and _is_readable(response, head, attempt):
            limits["read"] = attempt.idle_limit  # the transport looks it up as it begins to read the body
            return Reply(response.status_code, head, source=(response, client))
        try:
            return Reply(response.status_code, head, _read(response, head, attempt) if handling != "discard" else b"")
        finally:
            response.close()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - every exception here is an outcome
        is_closed = getattr(client, "is_closed", False)
        sent = attempt._replace(limits=limits)
        return _refused(error, request) or _outcome(error, fate, sent, response, closed=is_closed)
    except BaseException:  # such as Ctrl-C: a response refers to itself in httpx, so it would stay open for a while
        if response is not None:
            response.close()
        raise
    finally:
        if window is not None:
            window.close()


async def send_async(connections: Connections, attempt: Attempt) -> Reply | Error:
    """Send an attempt and return its outcome, async."""
    fate: Fate = "not_sent"
    client: httpx.AsyncClient | None = None
    request: httpx.Request | None = None
    response: httpx.Response | None = None
    window: Window | None = None
    limits = dict(attempt.limits)
    try:
        client = connections.async_client(lasting=attempt.is_lasting)
        if client is connections.async_given:
            limits = attempt.limits_beside(client.timeout.as_dict(), monotonic())
        body: AsyncIterable[bytes] | bytes | None = attempt.request.content
        if attempt.request.upload is not None:
            from asyncio import to_thread

            from comfydeploy._http import forms

            window = forms.Window(attempt.request.upload)
            await to_thread(window.open)
            body = forms.form_async(window)
        request = _request(client, attempt, limits, body)
        _check_open(client)
        fate = "unknown"
        response = await client.send(request, stream=True, auth=None, follow_redirects=False)
        head = _head(response)
        handling = attempt.body_handling(response.status_code, head.get("content-type", ""))
        if handling == "keep_open" and _is_readable(response, head, attempt):
            limits["read"] = attempt.idle_limit
            return Reply(response.status_code, head, source=(response, client))
        try:
            content = await _read_async(response, head, attempt) if handling != "discard" else b""
            return Reply(response.status_code, head, content)
        finally:
            await response.aclose()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - every exception here is an outcome
        is_closed = getattr(client, "is_closed", False)
        sent = attempt._replace(limits=limits)
        return _refused(error, request) or _outcome(error, fate, sent, response, closed=is_closed)
    finally:
        if window is not None:
            from asyncio import get_running_loop, shield

            # After a cancelled read, which its thread continues; a thread, unlike a task, cannot be cancelled.
            await shield(get_running_loop().run_in_executor(None, window.close))


def _check_open(client: Any) -> None:
    # Before httpx does, whose RuntimeError a hook may also raise, after the request was sent.
    if getattr(client, "is_closed", False):
        raise client_closed()


def _request(
    client: "httpx.Client | httpx.AsyncClient",
    attempt: Attempt,
    limits: dict[str, float | None],
    body: "Iterable[bytes] | AsyncIterable[bytes] | bytes | None",
) -> "httpx.Request":
    request, headers = attempt.request, attempt.headers
    if attempt.accept == ANYTHING:
        headers.setdefault("accept-encoding", "identity")  # because a compressed file could be checked only at its end
    if request.upload is not None:
        headers |= request.upload.headers
    if attempt.is_for_storage:
        kind = type(client.build_request("GET", request.url))  # httpx's or httpx2's, without what the client adds
        return kind(request.method, request.url, headers=headers, content=body, extensions={"timeout": limits})
    built = client.build_request(
        request.method,
        address(client, request.url),
        content=body,
        # The parameters of a client would replace the query.
        params=request.url.partition("?")[2] if client.params else None,
        headers=headers,
        extensions={"timeout": limits},
    )
    if "cookie" in built.headers:  # a cookie of the server would take precedence over the token
        del built.headers["cookie"]
    return built


def _read(response: "httpx.Response", head: dict[str, str], attempt: Attempt) -> bytes:
    parts: list[bytes] = []
    left = attempt.max_size
    for part in _parts(response, head, attempt, response.iter_bytes):
        left -= len(part)
        if left < 0:
            raise too_large(Reply(response.status_code, head), attempt.max_size)
        parts.append(part)
    return b"".join(parts)


async def _read_async(response: "httpx.Response", head: dict[str, str], attempt: Attempt) -> bytes:
    parts: list[bytes] = []
    left = attempt.max_size
    async for part in _parts(response, head, attempt, response.aiter_bytes):
        left -= len(part)
        if left < 0:
            raise too_large(Reply(response.status_code, head), attempt.max_size)
        parts.append(part)
    return b"".join(parts)


def _parts(response: "httpx.Response", head: dict[str, str], attempt: Attempt, decompressed: Callable[[], Any]) -> Any:
    """Return the parts of a body, where needed those that httpx has decompressed.

    A body that is not compressed is read directly: the three iterators that httpx adds take as long as parsing it.
    """
    if "content-encoding" not in head and not response.is_stream_consumed:
        return response.stream
    if not _is_readable(response, head, attempt):
        encoding, reply = head["content-encoding"], Reply(response.status_code, head)
        raise unexpected(reply, f"The body of the response is encoded as {encoding!r}, which was not requested")
    return decompressed()


def _is_readable(response: "httpx.Response", head: dict[str, str], attempt: Attempt) -> bool:
    """Check whether a body comes in a requested encoding, or was decompressed by a transport or hook of the caller.

    Files have a check of their own.
    """
    if "content-encoding" not in head or response.is_stream_consumed or attempt.accept == ANYTHING:
        return True
    return is_requested(head["content-encoding"], response.request.headers.get("accept-encoding", ""))


def _head(response: "httpx.Response") -> dict[str, str]:
    return dict(response.headers.items())  # faster: `dict(headers)` would look up every name again


def _outcome(
    error: Exception, fate: Fate, attempt: Attempt, response: "httpx.Response | None", *, closed: bool
) -> Reply | Error:
    if isinstance(error, ComfyDeployError):
        return without_secret(cast("Error", error.with_traceback(None)), attempt.token)
    if response is not None and type(error).__name__ == "DecodingError":
        reply = Reply(response.status_code, _head(response)).without(attempt.token)
        found = unexpected(reply, f"The body of the response cannot be decompressed: {error}")
        from comfydeploy._wire.causes import cause_of  # few processes ever need it

        found.__cause__ = cause_of(error, attempt.token, located=False)
        return found
    return request_error(error, fate, closed=closed, attempt=attempt, now=monotonic())


def _refused(error: Exception, request: "httpx.Request | None") -> Reply | None:
    """Return the response for which a response hook of the caller's client raised, as by ``raise_for_status``.

    A hook may also raise because of another request, or for a good response: then the server refused nothing.
    """
    response: httpx.Response | None = getattr(error, "response", None)
    try:
        if request is None or response is None or response.request is not request:
            return None
        reply = Reply(response.status_code, _head(response), _content(response))
    except (AttributeError, RuntimeError):  # another package's response, or one without a request
        return None
    return None if reply.is_good else reply


def _content(response: "httpx.Response") -> bytes:
    try:
        return response.content
    except RuntimeError:  # the hook raised before it read the body
        return b""
