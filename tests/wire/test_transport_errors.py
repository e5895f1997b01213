"""Every exception of the transport becomes one of our errors, with the fate of the request."""

import inspect
import os

import httpx
import pytest

from comfydeploy._wire.attempt import ANYTHING, Attempt
from comfydeploy._wire.deadline import Deadline, Until
from comfydeploy._wire.request import Request
from comfydeploy._wire.transport_errors import Reading, request_error, response_error
from comfydeploy.errors import (
    ConnectionError,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    UnexpectedClientError,
)
from comfydeploy.models.secret import NOTHING_SECRET, Secret

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
def test_httpx_exception_has_kind_and_fate(kind):
    error = made(kind)
    found = request_error(error, "unknown", closed=False)
    expected, fate = EXPECTED.get(kind.__name__, (UnexpectedClientError, "unknown"))
    assert (type(found), found.fate) == (expected, fate)
    assert (type(found.__cause__), str(found.__cause__)) == (kind, str(error))
    assert str(error) in str(found)


@pytest.mark.parametrize("kind", [kind for kind in EXCEPTIONS if kind.__name__ in EXPECTED.keys() | ABSTRACT])
@pytest.mark.parametrize("fate", ["not_sent", "unknown"])
def test_fate_is_that_of_exception(kind, fate):
    expected = EXPECTED.get(kind.__name__, (RequestTimeoutError, "unknown"))
    assert request_error(made(kind), fate, closed=False).fate == expected[1]


def test_exception_of_another_httpx_is_known():
    kind = type("ConnectTimeout", (Exception,), {"__module__": "httpx2._exceptions"})
    assert isinstance(request_error(kind("x"), "unknown", closed=False), RequestTimeoutError)


def test_expected_names_exist_in_httpx():
    assert EXPECTED.keys() | ABSTRACT <= {kind.__name__ for kind in EXCEPTIONS}


def test_time_limit_of_no_phase_is_time_limit():
    assert isinstance(request_error(httpx.TimeoutException("late"), "unknown", closed=False), RequestTimeoutError)


def test_subclass_is_treated_as_its_parent():
    class Reset(httpx.ReadError):
        pass

    Reset.__module__ = "plugin"
    assert isinstance(request_error(Reset("x"), "unknown", closed=False), ConnectionError)


def test_name_without_module_is_unexpected():
    class ConnectTimeout(Exception):
        pass

    assert isinstance(request_error(ConnectTimeout(), "unknown", closed=False), UnexpectedClientError)


@pytest.mark.parametrize("kind", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.ConnectError])
def test_exception_in_response_is_answered(kind):
    assert request_error(kind("x"), "answered", closed=False).fate == "answered"
    assert response_error(kind("x"), "answered", closed=False).fate == "answered"


@pytest.mark.parametrize("error", [httpx.ReadError("x"), httpx.InvalidURL("x"), RuntimeError("x"), OSError()])
@pytest.mark.parametrize("function", [request_error, response_error])
def test_exception_after_close_is_abort(error, function):
    found = function(error, "unknown", closed=True)
    assert isinstance(found, RequestAbortedError)
    assert (found.fate, found.__cause__) == ("unknown", error)


def attempt(url="https://server.test/api/run?token=x", **given):
    limits = {"connect": 10.0, "read": 60.0, "write": 30.0, "pool": None}
    return Attempt(Request("POST", url), NOTHING_SECRET, limits, None, ANYTHING, is_lasting=False, **given)


CALL = "POST https://server.test/api/run"
SENT = [
    (httpx.ReadTimeout("timed out"), f"No response to {CALL} within 60 s (read timeout)"),
    (httpx.ReadTimeout("The read operation timed out"), f"No response to {CALL} within 60 s (read timeout)"),
    (httpx.TimeoutException("timed out: x"), f"No response to {CALL} within 60 s (read timeout): timed out: x"),
    (httpx.ReadTimeout("slow disk"), f"No response to {CALL} within 60 s (read timeout): slow disk"),
    (httpx.ConnectTimeout(""), "No connection to https://server.test within 10 s (connect timeout)"),
    (httpx.PoolTimeout(""), "No free connection to https://server.test within the time limit (pool timeout)"),
    (httpx.WriteTimeout(""), f"{CALL} was not sent completely within 30 s (write timeout)"),
    (
        httpx.ConnectError("[Errno -2] Name or service not known"),
        "Cannot connect to https://server.test: Name or service not known",
    ),
    (
        httpx.ConnectError("[Errno 111] Connect call failed ('127.0.0.1', 9)"),
        f"Cannot connect to https://server.test: {os.strerror(111)}",
    ),
    (httpx.ReadError(""), f"The connection was lost during {CALL}"),
    (
        httpx.RemoteProtocolError("bad line"),
        f"The connection was lost, or the response is not HTTP, during {CALL}: bad line",
    ),
    (httpx.DecodingError("no gzip"), "The body of the response cannot be decompressed: no gzip"),
    (httpx.ProxyError("407"), "Cannot connect to https://server.test through the proxy: 407"),
    (httpx.InvalidURL("bad"), "The request cannot be sent: bad"),
]


@pytest.mark.parametrize(("error", "message"), SENT)
def test_message_names_call_and_limit(error, message):
    assert str(request_error(error, "unknown", closed=False, attempt=attempt())) == message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("x"), "ValueError: x"),
        (ValueError(), "ValueError"),
        (httpx.ReadTimeout(""), "No response to the request within the time limit (read timeout)"),
        (httpx.ConnectError("refused"), "Cannot connect to the server: refused"),
        (httpx.ProxyError("407 No"), "Cannot connect to the server through the proxy: 407 No"),
    ],
)
def test_message_without_attempt(error, message):
    assert str(request_error(error, "unknown", closed=False)) == message


@pytest.mark.parametrize(
    ("kind", "phase"),
    [
        (httpx.ConnectTimeout, "while connecting to https://server.test"),
        (httpx.PoolTimeout, "while waiting for a free connection"),
        (httpx.WriteTimeout, f"while sending {CALL}"),
        (httpx.ReadTimeout, f"while waiting for the response to {CALL}"),
    ],
)
def test_time_out_past_deadline_names_it(kind, phase):
    sent = attempt(deadline=Deadline(50.0, 100.0))
    error = request_error(kind("timed out"), "unknown", closed=False, attempt=sent, now=100.0)
    assert str(error) == f"The deadline of 50 s passed {phase}"
    assert error.fate == EXPECTED[kind.__name__][1]
    assert "within" in str(request_error(kind(""), "unknown", closed=False, attempt=sent, now=99.0))


@pytest.mark.parametrize("error", [httpx.ReadError("x"), httpx.ProxyError("x"), httpx.ConnectTimeout("x")])
def test_other_error_of_local_address_has_no_hint(error):
    found = request_error(error, "unknown", closed=False, attempt=attempt("http://localhost:3011/api/run"))
    assert found.hint is None


def test_message_has_no_token():
    sent = attempt()._replace(token=Secret("hunter2222"))
    for error in (httpx.ReadError("hunter2222"), httpx.InvalidURL("hunter2222"), ValueError("hunter2222")):
        found = request_error(error, "unknown", closed=False, attempt=sent)
        assert "hunter" not in f"{found} {found.__cause__}"


@pytest.mark.parametrize("error", [httpx.ReadError("x"), httpx.ReadTimeout("x"), ValueError("x")])
@pytest.mark.parametrize("closed", [False, True])
def test_error_of_body_has_its_run(error, closed):
    found = response_error(error, "answered", closed=closed, reading=Reading(None, 0.0, "r"))
    assert (found.run_id, found.fate) == ("r", "answered")
    assert response_error(error, "answered", closed=closed, reading=Reading(None, 0.0)).run_id is None


def test_error_of_body_keeps_its_place():
    found = response_error(raised(ValueError("x")), "answered", closed=False, reading=Reading(None, 0.0))
    assert found.__cause__.__traceback__ is None
    assert found.__cause__.__notes__[0].startswith("Raised at:\n")


@pytest.mark.parametrize("host", ["localhost:3011", "127.0.0.1:80", "[::1]:3011"])
def test_refused_local_address_has_hint(host):
    error = request_error(httpx.ConnectError("x"), "not_sent", closed=False, attempt=attempt(f"http://{host}/api/run"))
    assert str(error) == f"Cannot connect to http://{host}: x. Is `comfydeploy emulator` running?"


def test_storage_address_is_cut_to_its_host():
    sent = attempt("https://user:pass@bucket.test/private/a.png?X-Amz-Signature=s", is_for_storage=True)
    error = request_error(httpx.ReadTimeout(""), "unknown", closed=False, attempt=sent)
    assert str(error) == "No response to POST https://bucket.test within 60 s (read timeout)"


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (20.0, "No data within 20 s (read timeout)"),
        (None, "No data within the time limit (read timeout)"),
        (Until(20.0, 100.0, Deadline(50.0, 100.0)), "The deadline of 50 s passed while the response was read"),
    ],
)
def test_time_out_of_body_names_its_limit(limit, message):
    error = response_error(httpx.ReadTimeout(""), "answered", closed=False, reading=Reading(limit, 100.0, "r"))
    assert (str(error), error.run_id) == (message, "r")


@pytest.mark.parametrize("kind", [httpx.ReadError, httpx.InvalidURL])
def test_frames_of_transport_are_removed(kind):
    low = raised(OSError("low"))
    middle = raised(RuntimeError("middle"), low)
    error = raised(kind("x"), middle)
    assert error.__traceback__ is not None
    found = request_error(error, "unknown", closed=False)
    assert found.__cause__ is error
    assert [link.__traceback__ for link in (error, middle, low)] == [None] * 3
    assert error.__cause__ is middle


def test_frames_of_context_are_removed():
    error = httpx.ReadError("x")
    error.__context__ = raised(OSError("low"))
    response_error(error, "unknown", closed=False)
    assert error.__context__.__traceback__ is None


def test_frames_of_hook_are_kept():
    error = raised(ValueError("x"))
    assert request_error(error, "not_sent", closed=False).__cause__.__traceback__ is not None


def test_unsendable_request_in_stream():
    assert isinstance(response_error(httpx.LocalProtocolError("x"), "answered", closed=False), ConnectionError)
