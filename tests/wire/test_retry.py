"""The policy of sending a request again."""

import time as clock
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.fate import REFUSED, maybe_executed
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.retry import READ_CODES, RetryPolicy, interval, retry_after
from comfydeploy.errors import (
    ConnectionError,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    UnexpectedClientError,
)
from comfydeploy.options import BackoffStrategy, RetryConfig

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ON = RetryConfig("backoff", BackoffStrategy(1.0, 10.0, 2.0, 100.0))
READS = RetryPolicy(ON, READ_CODES, is_repeatable=True)
CREATES = RetryPolicy(ON, REFUSED, is_repeatable=False)
NAMED = RetryPolicy(ON, frozenset({500, 418}), is_repeatable=False)
NOT_SENT, UNKNOWN, ANSWERED = "not_sent", "unknown", "answered"


def is_repeated(policy, outcome):
    return policy.pause(outcome, attempt=0, elapsed=0.0) is not None


@pytest.mark.parametrize(
    ("outcome", "read", "create", "create_with_named_codes"),
    [
        (Reply(200), False, False, False),
        (Reply(307), False, False, False),
        (Reply(401), False, False, False),
        (Reply(404), False, False, False),
        (Reply(418), False, False, True),
        (Reply(422), False, False, False),
        (Reply(429), True, True, False),
        (Reply(500), True, False, True),
        (Reply(501), False, False, False),
        (Reply(502), True, False, False),
        (Reply(503), True, True, False),
        (Reply(504), True, False, False),
        (ConnectionError("", NOT_SENT), True, True, True),
        (ConnectionError("", UNKNOWN), True, False, False),
        (ConnectionError("", ANSWERED), True, False, False),
        (RequestTimeoutError("", NOT_SENT), True, True, True),
        (RequestTimeoutError("", UNKNOWN), True, False, False),
        (RequestAbortedError("", NOT_SENT), False, False, False),
        (UnexpectedClientError("", NOT_SENT), False, False, False),
        (InvalidRequestError(""), False, False, False),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'status_code', getattr(value, 'fate', value))}",
)
def test_policy_of_codes(outcome, read, create, create_with_named_codes):
    assert is_repeated(READS, outcome) is read
    assert is_repeated(CREATES, outcome) is create
    assert is_repeated(NAMED, outcome) is create_with_named_codes


@pytest.mark.parametrize("outcome", [Reply(503), ConnectionError("", NOT_SENT)])
def test_no_strategy_means_no_retries(outcome):
    assert not is_repeated(RetryPolicy(RetryConfig("none"), READ_CODES, is_repeatable=True), outcome)


def test_connection_retries_can_be_off():
    policy = RetryPolicy(RetryConfig(retry_connection_errors=False), READ_CODES, is_repeatable=True)
    assert not is_repeated(policy, ConnectionError("", NOT_SENT))
    assert not is_repeated(policy, RequestTimeoutError("", UNKNOWN))
    assert is_repeated(policy, Reply(503))


@pytest.mark.parametrize("code", [200, 302, 400, 409, 500, 502, 504])
def test_response_in_doubt(code):
    assert maybe_executed(Reply(code))


@pytest.mark.parametrize("code", [401, 403, 404, 413, 422, 429, 503])
def test_response_without_doubt(code):
    assert not maybe_executed(Reply(code))


@pytest.mark.parametrize(("fate", "maybe"), [(NOT_SENT, False), (UNKNOWN, True), (ANSWERED, True)])
def test_error_in_doubt(fate, maybe):
    assert maybe_executed(ConnectionError("", fate)) is maybe


@pytest.mark.parametrize(("attempt", "seconds"), [(0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0), (4, 10.0), (50, 10.0)])
def test_pause_grows_up_to_its_cap(attempt, seconds):
    assert interval(ON.backoff, attempt, 0.0) == seconds


@given(attempt=st.integers(0, 100_000), dice=st.floats(0, 1, exclude_max=True), exponent=st.floats(0, 1e6))
def test_pause_is_capped_with_jitter(attempt, dice, exponent):
    backoff = BackoffStrategy(0.5, 60.0, exponent, 3600.0)
    calm, shaken = interval(backoff, attempt, 0.0), interval(backoff, attempt, dice)
    assert 0 <= calm <= shaken <= 60.0
    assert shaken <= calm + dice


def test_huge_attempt_waits_for_cap():
    assert interval(BackoffStrategy(1.0, 7.0, 10.0, 100.0), 100_000, 0.5) == 7.0


def test_whole_numbers_wait_as_long_as_cap_too():
    assert interval(BackoffStrategy(1, 7, 2, 100), 2_000, 0.5) == 7


def test_pause_has_jitter():
    assert len({READS.pause(Reply(503), attempt=0, elapsed=0.0) for _ in range(20)}) > 1
    assert 1.0 <= READS.pause(Reply(503), attempt=0, elapsed=0.0) < 2.0


def test_no_attempt_is_made_beyond_budget():
    requested = Reply(503, {"retry-after": "10"})
    assert READS.pause(requested, attempt=3, elapsed=90.0) == 10.0
    assert READS.pause(requested, attempt=3, elapsed=90.1) is None
    assert READS.pause(Reply(503), attempt=0, elapsed=100.0) is None


def test_retry_after_wins_over_cap():
    assert READS.pause(Reply(503, {"retry-after": "50"}), attempt=0, elapsed=0.0) == 50.0
    assert READS.pause(Reply(429, {"retry-after": "101"}), attempt=0, elapsed=0.0) is None


@pytest.mark.parametrize("text", ["0", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_retry_after_is_never_faster(text):
    assert 1.0 <= READS.pause(Reply(503, {"retry-after": text}), attempt=0, elapsed=0.0) < 2.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime((NOW + timedelta(seconds=90)).astimezone(timezone(timedelta(hours=2)))), 90.0),
        ("Mon, 23 Nov 2026 12:01:30 -0000", 90.0),
        (format_datetime(NOW - timedelta(days=400), usegmt=True), 0.0),
        ("9" * 400, float("inf")),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("²", None),
        ("Mon, 99 Nov 2026 12:00:00 GMT", None),
        ("Mon, 23 Nov 2026 12:00:00 +9999999", None),
        ("0001-01-01", None),
    ],
)
def test_retry_after_is_number_or_date(text, seconds):
    assert retry_after({"retry-after": text}, NOW) == seconds


def test_date_without_zone_is_utc_anywhere(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    clock.tzset()
    try:
        assert retry_after({"retry-after": "Mon, 23 Nov 2026 12:01:30 -0000"}, NOW) == 90.0
    finally:
        monkeypatch.undo()
        clock.tzset()


def test_missing_retry_after_is_none():
    assert retry_after({}) is None


def test_date_is_compared_with_clock():
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}) == 0.0
    assert retry_after({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}) > 1e9


@given(
    text=st.text()
    | st.lists(
        st.sampled_from(
            ["Mon,", "23", "Nov", "2026", "12:00:00", "GMT", "+0000", "-9999", ":", ",", "99999999999", "\ud800"]
        )
    ).map(" ".join)
)
def test_any_retry_after_is_accepted(text):
    found = retry_after({"retry-after": text}, NOW)
    assert found is None or found >= 0


def test_default_codes_are_those_of_original():
    assert sorted(READ_CODES) == [429, 500, 502, 503, 504]
    assert sorted(REFUSED) == [429, 503]
