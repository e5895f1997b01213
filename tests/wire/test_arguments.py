"""Checks of arguments name the argument, what was expected, and what it is."""

from pathlib import Path

import pytest

from comfydeploy._wire.arguments import check_callback, check_choice, invalid_request, path_text
from comfydeploy.errors import Problem, SDKValidationError


class Odd:
    """A value that cannot be compared, such as an array of numpy."""

    __hash__ = None

    def __eq__(self, _):
        raise LookupError


class PathOfBytes:
    def __fspath__(self):
        return b"x"


@pytest.mark.parametrize(
    ("check", "value", "reason"),
    [
        (check_callback, 5, "expected a function, got int"),
        (check_choice, "x", "expected 'leave' or 'cancel', got 'x'"),
        (check_choice, 5, "expected 'leave' or 'cancel', got int"),
        (check_choice, Odd(), "expected 'leave' or 'cancel', got Odd"),
        (path_text, 5, "expected a file, got int"),
        (path_text, b"x", "expected a file, got bytes"),
        (path_text, PathOfBytes(), "expected a file, got PathOfBytes"),
        (path_text, "", "expected a file, got ''"),
        (path_text, "a\0b", "expected a file, got 'a\\x00b'"),
        (path_text, "\0" * 300, ("expected a file, got '" + "\\x00" * 50)[:200]),
    ],
)
def test_invalid_argument_is_named(check, value, reason):
    more = {check_callback: (), check_choice: (("leave", "cancel"),), path_text: ("a file",)}[check]
    with pytest.raises(SDKValidationError) as caught:
        check("to", value, *more)
    assert (caught.value.message, caught.value.problems) == (f"to: {reason}", (Problem("$.to", reason),))
    assert caught.value.raw_value is (value if check is check_choice else None)


def test_valid_arguments():
    check_callback("on_update", None)
    check_callback("on_update", print)
    check_choice("on_abandon", "leave", ("leave", "cancel"))
    assert path_text("to", "a", "a file") == path_text("to", Path("a"), "a file") == "a"


def test_invalid_request_is_named():
    error = invalid_request("expected a mapping, got int", 5)
    assert error.message == "request: expected a mapping, got int"
    assert (error.problems, error.raw_value) == ((Problem("$", "expected a mapping, got int"),), 5)
