"""The error for an exception of the transport. Classes are recognized by name, so that httpx need not be imported."""

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from comfydeploy._wire.deadline import Deadline, Until
from comfydeploy.errors import (
    ConnectionError,
    Fate,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    UnexpectedClientError,
)
from comfydeploy.models.secret import NOTHING_SECRET, Secret

if TYPE_CHECKING:
    from comfydeploy._wire.attempt import Attempt

# The fate, httpx's name of the limit, the message, and the phase that follows "The deadline passed".
# {server} is the scheme, the host and the port; {call} is the method and the address.
_TIMEOUTS: Final[dict[str, tuple[Fate, str, str, str]]] = {
    "ConnectTimeout": ("not_sent", "connect", "No connection to {server}", "while connecting to {server}"),
    "PoolTimeout": ("not_sent", "pool", "No free connection to {server}", "while waiting for a free connection"),
    "WriteTimeout": ("unknown", "write", "{call} was not sent completely", "while sending {call}"),
    "TimeoutException": ("unknown", "read", "No response to {call}", "while waiting for the response to {call}"),
}
READING: Final = "while the response was read"
_READ_BODY: Final = ("read", "No data", READING)
_LOST: Final[dict[str, tuple[Fate, str]]] = {
    "ConnectError": ("not_sent", "Cannot connect to {server}"),
    "ProxyError": ("not_sent", "Cannot connect to {server} through the proxy"),
    "RemoteProtocolError": ("unknown", "The connection was lost, or the response is not HTTP, during {call}"),
    "TransportError": ("unknown", "The connection was lost during {call}"),
    "DecodingError": ("unknown", "The body of the response cannot be decompressed"),
}
ResponseError: TypeAlias = ConnectionError | RequestTimeoutError | RequestAbortedError | UnexpectedClientError

_UNSENDABLE: Final = frozenset({"UnsupportedProtocol", "LocalProtocolError", "InvalidURL", "CookieConflict"})
_LOCAL: Final = ("http://localhost", "http://127.", "http://[::1]")
_IS_IT_RUNNING: Final = "Is `comfydeploy emulator` running?"


class Reading(NamedTuple):
    """The reading of a body: the limit of each read, the time when it failed, and the run that it is about."""

    limit: float | None
    now: float
    run_id: str | None = None


class _Context(NamedTuple):
    """Where an exception was raised. ``token`` is set where it came out of the transport."""

    server: str = "the server"
    call: str = "the request"
    limits: Mapping[str, float | None] = MappingProxyType({})
    deadline: Deadline | None = None
    now: float = 0.0
    run_id: str | None = None
    token: Secret | None = None

    def detail(self, error: Exception) -> str:
        text = (self.token or NOTHING_SECRET).removed_from(str(error))
        number = re.match(r"\[Errno (-?\d+)\] ", text)
        if number is None:
            return text
        # asyncio's text for a refused connection is "Connect call failed ('127.0.0.1', 3011)".
        return os.strerror(int(number[1])) if "Connect call failed" in text else text[number.end() :]

    def named(self, text: str) -> str:
        return text.format(server=self.server, call=self.call)


_NO_CONTEXT: Final = _Context()


def request_error(
    error: Exception, fate: Fate, *, closed: bool, attempt: "Attempt | None" = None, now: float = 0.0
) -> InvalidRequestError | ResponseError:
    """Return the error for an exception in sending a request; the exception becomes its ``__cause__``.

    ``fate`` is what is known of the request where the exception itself does not say. ``closed``: the caller had closed
    the client by then. ``attempt`` is what was sent, where the exception came out of the transport.
    """
    context = _NO_CONTEXT
    if attempt is not None:
        context = _Context(attempt.server, attempt.call, attempt.limits, attempt.deadline, now, token=attempt.token)
    found: InvalidRequestError | ResponseError
    if not closed and _names(error) & _UNSENDABLE:
        found = InvalidRequestError(f"The request cannot be sent: {context.detail(error)}")
    else:
        found = _classified(error, fate, context, closed=closed)
    found.__cause__ = _cause(error, context.token)
    return found


def response_error(error: Exception, fate: Fate, *, closed: bool, reading: Reading | None = None) -> ResponseError:
    """Return the error for an exception in waiting for bytes, as ``request_error`` does.

    ``reading`` is for an exception that came out of the transport.
    """
    context = _NO_CONTEXT
    if reading is not None:
        limit, now, run_id = reading
        deadline = limit.deadline if isinstance(limit, Until) else None
        context = _Context(
            "the server",
            "the response",
            {"read": limit},
            deadline=deadline,
            now=now,
            run_id=run_id,
            token=NOTHING_SECRET,
        )
    found = _classified(error, fate, context, closed=closed)
    found.__cause__ = _cause(error, context.token)
    return found


def _cause(error: Exception, sent: Secret | None) -> Exception:
    """Return an exception as a cause, without the request that an exception from a transport may hold."""
    is_of_transport = bool(_names(error))
    if sent is None and not is_of_transport:
        return error
    from comfydeploy._wire.causes import cause_of  # few processes need it

    return cause_of(error, sent or NOTHING_SECRET, located=not is_of_transport)


def _classified(error: Exception, fate: Fate, context: _Context, *, closed: bool) -> ResponseError:
    names, detail, run_id = _names(error), context.detail(error), context.run_id
    name = next((name for name in (*_TIMEOUTS, *_LOST) if name in names), None)
    # The response of a stream has begun: an exception that is raised later does not change that.
    known = fate if name is None or fate == "answered" else (_TIMEOUTS.get(name) or _LOST[name])[0]
    if closed:
        return RequestAbortedError("The client or the stream was closed by the caller", known, run_id=run_id)
    if name is None:
        kind = type(error).__name__
        return UnexpectedClientError(f"{kind}: {detail}" if detail else kind, known, run_id=run_id)
    if name in _TIMEOUTS:
        return _timeout(name, detail, known, context)
    message = context.named(_LOST[name][1])
    hint = _IS_IT_RUNNING if name == "ConnectError" and context.server.startswith(_LOCAL) else None
    return ConnectionError(f"{message}: {detail}" if detail else message, known, hint, run_id)


def _timeout(name: str, detail: str, fate: Fate, context: _Context) -> RequestTimeoutError:
    limit, text, phase = _READ_BODY if fate == "answered" else _TIMEOUTS[name][1:]
    if context.deadline is not None and context.deadline.has_passed(context.now):
        return context.deadline.exceeded(context.named(phase), fate, context.run_id)
    seconds = context.limits.get(limit)
    within = "the time limit" if seconds is None else f"{seconds:g} s"
    message = f"{context.named(text)} within {within} ({limit} timeout)"
    if detail and not detail.endswith("timed out"):  # which the message says already
        message = f"{message}: {detail}"
    return RequestTimeoutError(message, fate, run_id=context.run_id)


def _names(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("httpx")}
