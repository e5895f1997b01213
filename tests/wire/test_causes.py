"""The cause of an error keeps the exception, without the request and its token."""

import pickle

import httpx
import pytest

from comfydeploy._wire.attempt import ANYTHING, Attempt
from comfydeploy._wire.causes import TransportException, cause_of
from comfydeploy._wire.request import Request
from comfydeploy._wire.transport_errors import Reading, request_error, response_error
from comfydeploy.models.secret import NOTHING_SECRET, Secret

TOKEN = "key-of-the-test"
SENT = Secret(TOKEN)
SENDING = Attempt(Request("GET", "https://server.test/api"), SENT, {}, None, ANYTHING, is_lasting=False)
REQUEST = httpx.Request("GET", "https://server.test/api", headers={"authorization": f"Bearer {TOKEN}"})
RESPONSE = httpx.Response(500, request=REQUEST)


def raised(error, cause=None):
    try:
        raise error from cause
    except Exception as caught:
        return caught


def cleaned(error, *, located=False):
    return cause_of(error, SENT, located=located)


class Rich(Exception):
    """An exception whose text is made of its attributes."""

    def __init__(self, request):
        super().__init__("rich")
        self.request = request

    def __str__(self):
        return f"failed: {self.request.url}"


class Slotted(Exception):
    __slots__ = ("request",)


class Made(Exception):
    def __new__(cls, *_):
        return super().__new__(cls)


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (httpx.ReadError("lost", request=REQUEST), "lost"),
        (httpx.HTTPStatusError("refused", request=REQUEST, response=RESPONSE), "refused"),
        (ValueError(f"no header {TOKEN}"), "no header [redacted]"),
        (ValueError("x", [f"Bearer {TOKEN}".encode()]), "('x', [b'Bearer [redacted]'])"),
    ],
)
def test_exception_keeps_its_class_and_text(error, text):
    found = cleaned(error)
    assert (type(found), str(found)) in [(type(error), text), (TransportException, f"builtins.ValueError: {text}")]
    assert found is not error
    assert TOKEN.encode() not in pickle.dumps((found.args, vars(found)))


def test_exception_itself_is_not_changed():
    error = httpx.ReadError("lost", request=REQUEST)
    cleaned(error)
    assert error.request is REQUEST


def test_plain_exception_is_same_one():
    error = raised(ConnectionResetError(104, "reset", "file"), OSError(f"{TOKEN[:5]}"))
    assert cleaned(error) is error
    assert error.__traceback__ is None


@pytest.mark.parametrize("error", [Rich(REQUEST), Unspeakable(REQUEST)])
def test_one_that_cannot_be_kept_is_named(error):
    found = cleaned(error)
    assert type(found) is TransportException
    assert type(error).__name__ in str(found)
    name = f"{__name__}.{type(error).__name__}"
    assert str(found) == (name if isinstance(error, Unspeakable) else f"{name}: failed: https://server.test/api")


def test_what_is_plain_is_kept():
    error = OSError(5, f"no {TOKEN}")
    error.attempts, error.request = 3, REQUEST
    found = cleaned(error)
    assert (found.args, found.errno, vars(found)) == ((5, "no [redacted]"), 5, {"attempts": 3, "request": None})
    plain = OSError(5, ["a", ("b", 1.5, None, True, b"c")])
    assert cleaned(plain) is plain


def test_class_with_its_own_new_is_kept():
    found = cleaned(Made(f"no {TOKEN}"))
    assert (type(found), found.args) == (Made, ("no [redacted]",))


def test_request_in_list_is_dropped():
    assert cleaned(ValueError(["a", REQUEST])).args == (str(["a", REQUEST]),)


def test_chain_without_links_stays_so():
    found = cleaned(httpx.ReadError("lost", request=REQUEST))
    assert (found.__cause__, found.__context__, found.__suppress_context__) == (None, None, False)


def test_context_is_cleaned():
    error = ValueError("high")
    error.__context__ = httpx.ReadError("low", request=REQUEST)
    found = cleaned(error)
    assert found is error
    assert (str(found.__context__), found.__context__._request, found.__cause__) == ("low", None, None)


def test_request_in_slot_is_dropped():
    error = Slotted("x")
    error.request = REQUEST
    assert (type(cleaned(error)), str(cleaned(error))) == (Slotted, "x")
    assert not hasattr(cleaned(error), "request")


def test_object_of_attribute_error_is_dropped():
    with pytest.raises(AttributeError) as caught:
        REQUEST.nothing  # noqa: B018 - what raises
    assert caught.value.obj is REQUEST
    assert cleaned(caught.value).obj is None


def test_all_links_are_cleaned_in_place_in_chain():
    low = raised(httpx.ReadError("low", request=REQUEST))
    middle = raised(RuntimeError("middle"), low)
    error = raised(httpx.ReadError("high", request=REQUEST), middle)
    low.__context__ = error  # a circle
    found = cleaned(error)
    assert [str(found), str(found.__cause__), str(found.__cause__.__cause__)] == ["high", "middle", "low"]
    assert found.__suppress_context__
    for link in (found, found.__cause__, found.__cause__.__cause__):
        assert (link.__traceback__, getattr(link, "_request", None)) == (None, None)


def test_place_is_noted_where_it_was_no_transport():
    found = cleaned(raised(KeyError("handler")), located=True)
    (note,) = found.__notes__
    assert "test_causes.py" in note
    assert note.startswith("Raised at:\n  File ")
    assert note == note.strip()
    assert not hasattr(cleaned(KeyError("never raised"), located=True), "__notes__")
    assert not hasattr(cleaned(raised(ValueError("x"))), "__notes__")


@pytest.mark.parametrize(
    "made",
    [
        lambda error: request_error(error, "unknown", closed=False, attempt=SENDING),
        lambda error: response_error(error, "unknown", closed=False, reading=Reading(None, 0.0)),
    ],
    ids=["request_error", "response_error"],
)
def test_error_through_transport_has_no_frames(made):
    found = made(raised(ValueError("for it")))
    assert found.__cause__.__traceback__ is None
    assert str(found) == "ValueError: for it"
    assert "test_causes.py" in found.__cause__.__notes__[0]


def test_text_of_error_hides_token():
    found = request_error(ValueError(f"for {TOKEN}"), "unknown", closed=False, attempt=SENDING)
    assert str(found) == "ValueError: for [redacted]"


def test_unsendable_request_does_not_say_token():
    found = request_error(
        httpx.LocalProtocolError(f"bad {TOKEN}", request=REQUEST), "unknown", closed=False, attempt=SENDING
    )
    assert TOKEN not in f"{found} {found.__cause__} {vars(found.__cause__)}"


def test_exception_of_another_request_is_cleaned():
    error = httpx.ReadError("from the token callable", request=REQUEST)
    assert request_error(error, "not_sent", closed=False).__cause__._request is None
    assert cause_of(ValueError("x"), NOTHING_SECRET, located=False).args == ("x",)
