"""Errors are values that match, print, pickle and can be raised."""

import collections
import copy
import pickle
import re
import threading
import typing

import attrs
import pytest

from comfydeploy import errors
from comfydeploy.errors import (
    ComfyDeployError,
    ConnectionError,
    Error,
    HTTPValidationError,
    InvalidRequestError,
    MalformedEvent,
    Problem,
    RequestAbortedError,
    RequestTimeoutError,
    SDKError,
    SDKValidationError,
    StreamError,
    UnexpectedClientError,
)
from comfydeploy.models import ValidationError

ISSUE = ValidationError(loc=["body", "inputs", 0], msg="Input should be a string", type="string_type", raw={"x": 1})
EXAMPLES = [
    SDKValidationError("does not fit", (Problem("$.a", "no"), Problem("$.b", "no")), {"a": 1}, "answered"),
    SDKValidationError("does not fit"),
    InvalidRequestError("bad header"),
    HTTPValidationError([ISSUE], 422, "body", {"a": "b"}),
    HTTPValidationError([]),
    SDKError("refused", 500, "text/plain", b"\xff", {"a": "b"}, "Look first."),
    SDKError("refused", 404),
    ConnectionError("broken", "unknown"),
    RequestTimeoutError("late", "not_sent"),
    RequestAbortedError("closed", "answered"),
    UnexpectedClientError("a hook", "unknown"),
    MalformedEvent("cannot be read", "{yyy"),
]
Pair = collections.namedtuple("Pair", "a b")  # noqa: PYI024 - one without types
by_name = pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)


def fields_of(error):
    return {field.name: getattr(error, field.name) for field in attrs.fields(type(error))}


def test_there_is_example_of_every_error():
    kinds = {type(error) for error in EXAMPLES}
    assert kinds == {*typing.get_args(Error), *typing.get_args(StreamError)}
    public = {vars(errors)[name] for name in errors.__all__}
    assert kinds == {kind for kind in public if isinstance(kind, type) and issubclass(kind, ComfyDeployError)} - {
        ComfyDeployError
    }


@by_name
def test_error_is_caught_by_its_base(error):
    with pytest.raises(ComfyDeployError) as caught:
        raise error from ValueError("why")
    assert caught.value is error
    assert isinstance(error.__cause__, ValueError)


@by_name
def test_error_says_its_message(error):
    assert str(error).startswith(error.message)
    assert error.message


@by_name
def test_error_has_fate(error):
    assert error.fate in typing.get_args(errors.Fate)


@by_name
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_error_keeps_its_fields(error, protocol):
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is type(error)
    assert fields_of(again) == fields_of(error)
    assert (str(again), repr(again)) == (str(error), repr(error))


class Unloadable(Exception):
    def __init__(self, one, two):
        super().__init__(one)


class Unspeakable:
    def __reduce__(self):
        raise RuntimeError

    def __repr__(self):
        raise RuntimeError


def nest(depth):
    value = [print]
    for _ in range(depth):
        value = [value]
    return value


CIRCLE = {"f": lambda: None}
CIRCLE["self"] = CIRCLE


@pytest.mark.parametrize(
    ("value", "again"),
    [
        ({"a": [1, {"b": threading.Lock}, (2, None)]}, None),
        ([1, len, {"f": lambda: 1}], r"\[1, <built-in function len>, \{'f': '<function .*'\}\]"),
        ((lambda: 1,), r"\('<function .*',\)"),
        (threading.Lock(), r"<unlocked _thread.lock .*>"),
        (open(__file__), r"<_io.TextIOWrapper .*>"),  # noqa: SIM115, PTH123 - as a caller may do
        (Unloadable(1, 2), r"Unloadable\(1\)"),
        (Unspeakable(), r"<Unspeakable>"),
        (Pair(1, lambda: 1), r"\[1, '<function .*'\]"),
        (CIRCLE, r"\{'f': '<function .*"),
        (nest(100_000), r"\[.*"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_error_pickles_whatever_it_holds(value, again):
    error = SDKValidationError("m", (Problem("$", "r"),), value)
    read = pickle.loads(pickle.dumps(error))
    assert (read.message, read.problems) == ("m", (Problem("$", "r"),))
    if again is None:
        assert read.raw_value == value
    else:
        assert re.match(again, str(read.raw_value))


def test_error_pickles_without_its_cause():
    error = UnexpectedClientError("m", "unknown")
    error.__cause__ = Unloadable(1, 2)
    assert pickle.loads(pickle.dumps(error)).__cause__ is None


def test_copy_keeps_unpicklable_values():
    lock = threading.Lock()
    assert copy.copy(SDKValidationError("m", (), lock)).raw_value is lock


@by_name
def test_copied_error_keeps_its_fields(error):
    assert fields_of(copy.copy(error)) == fields_of(copy.deepcopy(error)) == fields_of(error)


@by_name
def test_error_is_equal_to_itself_only(error):
    assert error == error  # noqa: PLR0124 - the comparison under test
    assert error != copy.copy(error)
    assert len({error, copy.copy(error)}) == 2


@by_name
def test_error_cannot_be_changed(error):
    with pytest.raises(AttributeError):
        error.message = "other"


@by_name
def test_repr_has_fate_but_no_body(error):
    shown = repr(error)
    assert shown.startswith(f"{type(error).__name__}(")
    assert f"fate={error.fate!r}" in shown
    assert not any(f"{name}=" in shown for name in ("body", "headers", "raw_value", "raw"))


def test_repr_of_copies_has_fields_in_order():
    plain = "hint=None, run_id=None)"
    problems = "(Problem(path='$.a', reason='no'), Problem(path='$.b', reason='no'))"
    assert [repr(copy.copy(error)) for error in EXAMPLES] == [
        f"SDKValidationError(message='does not fit', problems={problems}, fate='answered', {plain}",
        f"SDKValidationError(message='does not fit', problems=(), fate='not_sent', {plain}",
        f"InvalidRequestError(message='bad header', fate='not_sent', {plain}",
        f"HTTPValidationError(detail=[{ISSUE!r}], status_code=422, fate='answered', {plain}",
        f"HTTPValidationError(detail=[], status_code=422, fate='answered', {plain}",
        (
            "SDKError(message='refused', status_code=500, content_type='text/plain', hint='Look first.', "
            "fate='answered', run_id=None)"
        ),
        "SDKError(message='refused', status_code=404, content_type='', hint=None, fate='answered', run_id=None)",
        f"ConnectionError(message='broken', fate='unknown', {plain}",
        f"RequestTimeoutError(message='late', fate='not_sent', {plain}",
        f"RequestAbortedError(message='closed', fate='answered', {plain}",
        f"UnexpectedClientError(message='a hook', fate='unknown', {plain}",
        f"MalformedEvent(message='cannot be read', fate='answered', {plain}",
    ]


def test_error_of_another_package_has_repr():
    class OtherError(ComfyDeployError):
        message = "other"

    assert repr(OtherError("other")) == "OtherError('other')"


def test_response_of_error_may_be_left_out():
    for error in map(copy.copy, (HTTPValidationError([]), SDKError("refused", 404))):
        assert (error.body, error.headers) == ("", {})
    assert copy.copy(SDKValidationError("does not fit")).raw_value is None
    with pytest.raises(TypeError):
        HTTPValidationError([ISSUE], message="mine")


@by_name
def test_note_can_be_added(error):
    noted = copy.copy(error)
    noted.add_note("while testing")
    assert noted.__notes__ == ["while testing"]
    for again in (copy.copy(noted), copy.deepcopy(noted), pickle.loads(pickle.dumps(noted))):
        assert again.__notes__ == ["while testing"]


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (SDKValidationError("x"), "not_sent"),
        (InvalidRequestError("x"), "not_sent"),
        (HTTPValidationError([]), "answered"),
        (SDKError("x", 500), "answered"),
        (MalformedEvent("x", ""), "answered"),
    ],
)
def test_fate_of_some_errors_goes_without_saying(error, fate):
    assert error.fate == fate


def test_misfit_prints_every_problem_on_line():
    error = SDKValidationError("request: does not fit", (Problem("$.a", "no"), Problem("$.b[0]", "neither")))
    assert error.pretty() == "request: does not fit\n  $.a: no\n  $.b[0]: neither"
    assert SDKValidationError("alone").pretty() == "alone"


def test_422_names_field_and_problem():
    assert str(HTTPValidationError([ISSUE, ISSUE])) == (
        "The server refused the request (422): inputs.0: Input should be a string; inputs.0: Input should be a string"
    )


@pytest.mark.parametrize(
    ("location", "field"),
    [
        (["body", "inputs", 0], "inputs.0: "),
        (["body", "DeploymentRunRequest", "gpu"], "gpu: "),
        (["DeploymentRunRequest", "gpu"], "gpu: "),
        (["body", "DeploymentRunRequest"], "DeploymentRunRequest: "),
        (["body", "Requests", "gpu"], "Requests.gpu: "),
        (["body", "body", "gpu"], "body.gpu: "),
        (["query", "body"], "query.body: "),
        (["body"], ""),
        ([], ""),
    ],
)
def test_422_names_fields_as_users_do(location, field):
    error = HTTPValidationError([ValidationError(loc=location, msg="no", type="x")])
    assert error.message == f"The server refused the request (422): {field}no"


def test_sdk_error_says_its_hint():
    assert str(SDKError("refused", 500, hint="Look first.")) == "refused. Look first."
    assert str(SDKError("Refused.", 500, hint="Look first.")) == "Refused. Look first."
    assert str(SDKError("refused", 500)) == "refused"


@pytest.mark.parametrize(
    ("content_type", "body", "detail"),
    [
        ("application/json", '{"detail":"Run not found"}', "Run not found"),
        ("application/json", '{"detail":[{"loc":["a"],"msg":"no"}]}', '[{"loc": ["a"], "msg": "no"}]'),
        ("application/json", '{"error":"no"}', "no"),
        ("application/json", '{"detail":"this","error":"that"}', "this"),
        ("application/json", '{"other":"x"}', None),
        ("application/json", '{"detail":null}', None),
        ("application/json", '["a"]', '["a"]'),
        ("application/json", "5", "5"),
        ("application/json", '{"detail":', '{"detail":'),
        ("application/json", "[" * 100_000, "[" * 100_000),
        ("text/plain", "Internal Server Error\n", "Internal Server Error"),
        ("text/plain", "  ", None),
        ("", "", None),
        ("text/html", "<p>Bad gateway</p>", None),
        ("application/json", b"\xff", None),
    ],
)
def test_detail_is_the_text_of_any_error_body(content_type, body, detail):
    assert SDKError("x", 500, content_type, body).detail == detail


def test_detail_is_error_where_there_is_none():
    assert SDKError("x", 500, "application/json", '{"detail":null,"error":"no"}').detail == "no"


def message_of(error):
    match error:
        case errors.HTTPValidationError(detail=[ValidationError(loc=[*_, place]), *_]):
            found = place
        case errors.SDKValidationError(problems=(Problem(path, _), *_)):
            found = path
        case errors.SDKError(status_code=status, hint=str()):
            found = status
        case errors.SDKError(_, status):
            found = -status
        case errors.ConnectionError(fate="not_sent") | errors.RequestTimeoutError(fate="not_sent"):
            found = "safe"
        case errors.ConnectionError(message, fate) | errors.RequestTimeoutError(message, fate):
            found = message, fate
        case errors.MalformedEvent(raw=raw):
            found = raw
        case errors.InvalidRequestError(message) | errors.RequestAbortedError(message):
            found = message
        case errors.ComfyDeployError():
            found = "other"
    return found


def test_errors_match_by_class_and_field():
    assert [message_of(error) for error in EXAMPLES] == [
        "$.a",
        "other",
        "bad header",
        0,
        "other",
        500,
        -404,
        ("broken", "unknown"),
        "safe",
        "closed",
        "other",
        "{yyy",
    ]


def test_every_public_name_is_there():
    assert all(hasattr(errors, name) for name in errors.__all__)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    public = {kind.__name__ for kind in kinds if not kind.__name__.startswith("_")}
    assert public <= set(errors.__all__)
