"""The pauses between polls."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfydeploy._wire.polling import FIRST, Pace, is_transient, requested_pause, spread
from comfydeploy.errors import (
    ConnectionError,
    HTTPValidationError,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    SDKError,
    SDKValidationError,
    UnexpectedClientError,
)


def pauses(pace, times, **kwargs):
    found = []
    for now in times:
        pace = pace.next(now, has_changed=kwargs.get("has_changed", False))
        found.append(pace.pause)
    return found


def test_pauses_grow_to_second_and_half():
    assert FIRST == 0.25
    assert pauses(Pace(0.0), [0.25] * 7) == pytest.approx([0.375, 0.5625, 0.84375, 1.265625, 1.5, 1.5, 1.5])


def test_ten_quiet_minutes_make_it_slow():
    assert pauses(Pace(0.0, 1.5), [599.9, 600.0, 605.0]) == [1.5, 5.0, 5.0]


def test_status_change_makes_it_fast():
    pace = Pace(0.0, 5.0).next(900.0, has_changed=True)
    assert pace == Pace(900.0, 0.5625)
    assert pauses(pace, [901.0, 1499.9, 1500.0]) == pytest.approx([0.84375, 1.265625, 5.0])


def test_jitter_only_delays():
    assert [spread(1.5, dice) for dice in (0.0, 0.5, 1.0)] == pytest.approx([1.5, 1.575, 1.65])


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (ConnectionError("x", "unknown"), True),
        (RequestTimeoutError("x", "not_sent"), True),
        *[(SDKError("x", status), True) for status in (408, 429, 499, 500, 502, 503, 504, 520)],
        *[(SDKError("x", status), False) for status in (200, 303, 307, 400, 401, 403, 404)],
        (HTTPValidationError([]), False),
        (SDKValidationError("x"), False),
        (InvalidRequestError("x"), False),
        (RequestAbortedError("x", "unknown"), False),
        (UnexpectedClientError("x", "unknown"), False),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'status_code', value)}",
)
def test_transient_errors(error, transient):
    assert is_transient(error) is transient


DATE, LATER = "Wed, 25 Nov 2026 21:18:45 GMT", "Wed, 25 Nov 2026 21:19:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "9" * 400}, 600.0),
        ({"retry-after": LATER, "date": DATE}, 15.0),
        ({"retry-after": LATER, "date": DATE.replace("GMT", "-0000")}, 15.0),
        ({"retry-after": DATE, "date": LATER}, 0.0),
        ({"retry-after": LATER}, 0.0),
        ({"retry-after": LATER, "date": "today"}, 0.0),
    ],
)
def test_pause_that_server_requires(headers, seconds):
    assert requested_pause(SDKError("x", 503, headers=headers)) == seconds


def test_error_without_headers_requires_no_pause():
    assert requested_pause(ConnectionError("x", "unknown")) == 0.0


DATES = st.text(max_size=20) | st.from_regex(r"Mon, 01 Jan \d{1,30} \d{1,30}:00:00 [+-]\d{1,30}", fullmatch=True)


@given(DATES, DATES)
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "5")
@example("Mon, 01 Jan 2020 00:00:00 +99999999999999", "5")
def test_odd_headers_never_raise(date, text):
    assert 0.0 <= requested_pause(SDKError("x", 503, headers={"retry-after": text, "date": date})) <= 600.0
