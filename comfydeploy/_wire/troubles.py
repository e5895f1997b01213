"""What the exceptions of the transport mean, told by name so that nothing of it has to be imported."""

from typing import Final, TypeAlias

from comfydeploy.errors import (
    ConnectionError,
    Fate,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    UnexpectedClientError,
)

_LOST: Final[dict[str, tuple[type[ConnectionError | RequestTimeoutError], Fate, str]]] = {
    "ConnectTimeout": (RequestTimeoutError, "not_sent", "No connection in time"),
    "PoolTimeout": (RequestTimeoutError, "not_sent", "No free connection in time"),
    "WriteTimeout": (RequestTimeoutError, "unknown", "The request could not be sent in time"),
    "ReadTimeout": (RequestTimeoutError, "unknown", "No answer in time"),
    "TimeoutException": (RequestTimeoutError, "unknown", "No answer in time"),
    "ConnectError": (ConnectionError, "not_sent", "No connection"),
    "ProxyError": (ConnectionError, "not_sent", "No connection through the proxy"),
    "RemoteProtocolError": (ConnectionError, "unknown", "The connection broke or the answer is no HTTP"),
    "TransportError": (ConnectionError, "unknown", "The connection broke"),
}
Lost: TypeAlias = ConnectionError | RequestTimeoutError | RequestAbortedError | UnexpectedClientError

_UNSENDABLE: Final = frozenset({"UnsupportedProtocol", "LocalProtocolError", "InvalidURL", "CookieConflict"})


def trouble(error: Exception, fate: Fate, *, closed: bool) -> InvalidRequestError | Lost:
    """Give the error that an exception in sending a request is; the exception becomes its ``__cause__``.

    ``fate`` is what is known of the request where the exception itself does not tell, ``closed`` whether the caller
    had closed the client by then.
    """
    if not closed and _names(error) & _UNSENDABLE:
        unsendable = InvalidRequestError(f"The request cannot be sent: {error}")
        unsendable.__cause__ = without_frames(error)
        return unsendable
    return lost(error, fate, closed=closed)


def lost(error: Exception, fate: Fate, *, closed: bool) -> Lost:
    """Give the error that an exception in waiting for bytes is, as ``trouble`` does."""
    found = _classified(error, fate, closed=closed)
    found.__cause__ = without_frames(error) if _names(error) else error
    return found


def without_frames(error: Exception) -> Exception:
    """Take the frames out of a transport's exception: they hold the headers with the token, and the connection."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


def _classified(error: Exception, fate: Fate, *, closed: bool) -> Lost:
    said = str(error)
    names = _names(error)
    form, known, text = next((_LOST[name] for name in _LOST if name in names), (None, fate, ""))
    if fate == "answered":  # the answer of a stream has begun: what breaks later cannot take that back
        known = fate
    if closed:
        return RequestAbortedError("The client or the stream was closed by the caller", known)
    if form is not None:
        return form(f"{text}: {said}" if said else text, known)
    return UnexpectedClientError(f"{type(error).__name__}: {said}" if said else type(error).__name__, fate)


def _names(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("httpx")}
