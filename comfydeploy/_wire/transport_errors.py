"""The error that an exception of the transport is, recognized by its name so that nothing has to be imported."""

from typing import Final, TypeAlias

from comfydeploy.errors import (
    ConnectionError,
    Fate,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    UnexpectedClientError,
)
from comfydeploy.models.secret import NOTHING_SECRET, Secret

_MEANINGS: Final[dict[str, tuple[type[ConnectionError | RequestTimeoutError], Fate, str]]] = {
    "ConnectTimeout": (RequestTimeoutError, "not_sent", "No connection within the time limit"),
    "PoolTimeout": (RequestTimeoutError, "not_sent", "No free connection within the time limit"),
    "WriteTimeout": (RequestTimeoutError, "unknown", "The request was not sent within the time limit"),
    "ReadTimeout": (RequestTimeoutError, "unknown", "No response within the time limit"),
    "TimeoutException": (RequestTimeoutError, "unknown", "No response within the time limit"),
    "ConnectError": (ConnectionError, "not_sent", "Cannot connect"),
    "ProxyError": (ConnectionError, "not_sent", "Cannot connect through the proxy"),
    "RemoteProtocolError": (ConnectionError, "unknown", "The connection was lost or the response is not HTTP"),
    "TransportError": (ConnectionError, "unknown", "The connection was lost"),
    "DecodingError": (ConnectionError, "unknown", "The body of the response cannot be decompressed"),
}
ResponseError: TypeAlias = ConnectionError | RequestTimeoutError | RequestAbortedError | UnexpectedClientError

_UNSENDABLE: Final = frozenset({"UnsupportedProtocol", "LocalProtocolError", "InvalidURL", "CookieConflict"})


def request_error(
    error: Exception, fate: Fate, *, closed: bool, sent: Secret | None = None
) -> InvalidRequestError | ResponseError:
    """Return the error that an exception in sending a request is; the exception becomes its ``__cause__``.

    ``fate`` is what is known of the request where the exception itself does not say. ``closed``: the caller had closed
    the client by then. ``sent`` is the token of the request, where the exception came out of the transport.
    """
    if not closed and _names(error) & _UNSENDABLE:
        unsendable = InvalidRequestError(f"The request cannot be sent: {_text(error, sent)}")
        unsendable.__cause__ = _cause(error, sent)
        return unsendable
    return response_error(error, fate, closed=closed, sent=sent)


def response_error(
    error: Exception, fate: Fate, *, closed: bool, sent: Secret | None = None, run_id: str | None = None
) -> ResponseError:
    """Return the error that an exception in waiting for bytes is, as ``request_error`` does."""
    found = _classified(error, _text(error, sent), fate, closed=closed, run_id=run_id)
    found.__cause__ = _cause(error, sent)
    return found


def _text(error: Exception, sent: Secret | None) -> str:
    return (sent or NOTHING_SECRET).removed_from(str(error))


def _cause(error: Exception, sent: Secret | None) -> Exception:
    """Return an exception as a cause: one that was not raised by a transport, or through one, holds no request."""
    is_of_transport = bool(_names(error))
    if sent is None and not is_of_transport:
        return error
    from comfydeploy._wire.causes import cause_of  # few processes ever need it

    return cause_of(error, sent or NOTHING_SECRET, located=not is_of_transport)


def _classified(error: Exception, detail: str, fate: Fate, *, closed: bool, run_id: str | None) -> ResponseError:
    names = _names(error)
    form, known, text = next((_MEANINGS[name] for name in _MEANINGS if name in names), (None, fate, ""))
    if fate == "answered":  # the response of a stream has begun: what breaks later cannot take that back
        known = fate
    if closed:
        return RequestAbortedError("The client or the stream was closed by the caller", known, run_id=run_id)
    if form is not None:
        return form(f"{text}: {detail}" if detail else text, known, run_id=run_id)
    unexpected = f"{type(error).__name__}: {detail}" if detail else type(error).__name__
    return UnexpectedClientError(unexpected, fate, run_id=run_id)


def _names(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("httpx")}
