"""Every exception of the transport becomes one of our errors, with what is known of the request."""

import inspect

import httpx
import pytest

from comfydeploy._wire.transport_errors import request_error, response_error
from comfydeploy.errors import (
    ConnectionError,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    UnexpectedClientError,
)

REQUEST = httpx.Request("GET", "https://server.test/api")
RESPONSE = httpx.Response(200, request=REQUEST)

EXCEPTIONS = sorted(
    (
        kind
        for kind in vars(httpx).values()
        if inspect.isclass(kind) and issubclass(kind, Exception) and not issubclass(kind, Warning)
    ),
    key=lambda kind: kind.__name__,
)
EXPECTED = {
    "CloseError": (ConnectionError, "unknown"),
    "ConnectError": (ConnectionError, "not_sent"),
    "ConnectTimeout": (RequestTimeoutError, "not_sent"),
    "DecodingError": (ConnectionError, "unknown"),
    "CookieConflict": (InvalidRequestError, "not_sent"),
    "InvalidURL": (InvalidRequestError, "not_sent"),
    "LocalProtocolError": (InvalidRequestError, "not_sent"),
    "NetworkError": (ConnectionError, "unknown"),
    "PoolTimeout": (RequestTimeoutError, "not_sent"),
    "ProtocolError": (ConnectionError, "unknown"),
    "ProxyError": (ConnectionError, "not_sent"),
    "ReadError": (ConnectionError, "unknown"),
    "ReadTimeout": (RequestTimeoutError, "unknown"),
    "RemoteProtocolError": (ConnectionError, "unknown"),
    **({"SSEError": (ConnectionError, "unknown")} if hasattr(httpx, "SSEError") else {}),  # of httpx2
    "TransportError": (ConnectionError, "unknown"),
    "UnsupportedProtocol": (InvalidRequestError, "not_sent"),
    "WriteError": (ConnectionError, "unknown"),
    "WriteTimeout": (RequestTimeoutError, "unknown"),
}
ABSTRACT = {"TimeoutException"}  # tested below


def made(kind, said="said"):
    if kind is httpx.HTTPStatusError:
        return kind(said, request=REQUEST, response=RESPONSE)
    if kind in (httpx.StreamConsumed, httpx.ResponseNotRead, httpx.RequestNotRead, httpx.StreamClosed):
        return kind()
    return kind(said)


def raised(error, cause=None):
    try:
        raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize("kind", [kind for kind in EXCEPTIONS if kind.__name__ not in ABSTRACT])
def test_every_exception_of_httpx_has_a_kind_and_a_fate(kind):
    error = made(kind)
    found = request_error(error, "unknown", closed=False)
    expected, fate = EXPECTED.get(kind.__name__, (UnexpectedClientError, "unknown"))
    assert (type(found), found.fate) == (expected, fate)
    assert (type(found.__cause__), str(found.__cause__)) == (kind, str(error))
    assert str(error) in str(found)


def test_a_table_of_names_knows_every_name_that_it_has():
    assert EXPECTED.keys() | ABSTRACT <= {kind.__name__ for kind in EXCEPTIONS}


def test_a_time_limit_of_no_phase_is_a_time_limit():
    assert isinstance(request_error(httpx.TimeoutException("late"), "unknown", closed=False), RequestTimeoutError)


def test_a_kind_of_ones_own_is_what_its_parent_is():
    class Reset(httpx.ReadError):
        pass

    Reset.__module__ = "plugin"
    assert isinstance(request_error(Reset("x"), "unknown", closed=False), ConnectionError)


def test_the_name_alone_makes_no_exception_one_of_the_transport():
    class ConnectTimeout(Exception):
        pass

    assert isinstance(request_error(ConnectTimeout(), "unknown", closed=False), UnexpectedClientError)


@pytest.mark.parametrize("kind", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.ConnectError])
def test_what_breaks_after_the_answer_began_was_answered(kind):
    assert request_error(kind("x"), "answered", closed=False).fate == "answered"
    assert response_error(kind("x"), "answered", closed=False).fate == "answered"


@pytest.mark.parametrize("error", [httpx.ReadError("x"), httpx.InvalidURL("x"), RuntimeError("x"), OSError()])
@pytest.mark.parametrize("told", [request_error, response_error])
def test_after_the_caller_closed_the_client_everything_is_an_abort(error, told):
    found = told(error, "unknown", closed=True)
    assert isinstance(found, RequestAbortedError)
    assert (found.fate, found.__cause__) == ("unknown", error)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("x"), "ValueError: x"),
        (ValueError(), "ValueError"),
        (httpx.ReadTimeout(""), "No response within the time limit"),
        (httpx.ReadTimeout("late"), "No response within the time limit: late"),
        (httpx.ConnectError("refused"), "Cannot connect: refused"),
        (httpx.InvalidURL("bad"), "The request cannot be sent: bad"),
    ],
)
def test_the_message_says_what_happened_and_what_was_said(error, message):
    assert str(request_error(error, "unknown", closed=False)) == message


@pytest.mark.parametrize("kind", [httpx.ReadError, httpx.InvalidURL])
def test_the_frames_of_the_transport_are_taken_out_because_they_hold_the_token(kind):
    low = raised(OSError("low"))
    middle = raised(RuntimeError("middle"), low)
    error = raised(kind("x"), middle)
    assert error.__traceback__ is not None
    found = request_error(error, "unknown", closed=False)
    assert found.__cause__ is error
    assert [link.__traceback__ for link in (error, middle, low)] == [None] * 3
    assert error.__cause__ is middle


def test_the_frames_of_what_was_only_going_on_are_taken_out_as_well():
    error = httpx.ReadError("x")
    error.__context__ = raised(OSError("low"))
    response_error(error, "unknown", closed=False)
    assert error.__context__.__traceback__ is None


def test_the_frames_of_a_hook_are_kept():
    error = raised(ValueError("x"))
    assert request_error(error, "not_sent", closed=False).__cause__.__traceback__ is not None


def test_an_unsendable_request_in_a_stream_is_a_lost_connection():
    assert isinstance(response_error(httpx.LocalProtocolError("x"), "answered", closed=False), ConnectionError)
