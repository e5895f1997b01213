"""The server's times are read in all their forms; other values are not times."""

import time as clock
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfydeploy._wire.timestamps import moment


def at(hour=18, minute=55, second=18, microsecond=0):
    return datetime(2026, 11, 23, hour, minute, second, microsecond, UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T18:55:18.608000Z", at(microsecond=608_000)),
        ("2026-11-23T18:55:18.608Z", at(microsecond=608_000)),
        ("2026-11-23T18:55:18Z", at()),
        ("2026-11-23T18:55:00Z", at(second=0)),
        ("2026-11-23T18:55Z", at(second=0)),
        ("2026-11-23T18:55:18.608000", at(microsecond=608_000)),
        ("2026-11-23T18:55", at(second=0)),
        ("2026-11-23 18:55:18.608+00", at(microsecond=608_000)),
        ("2026-11-23T18:55:18+00Z", at()),
        ("2026-11-23T18:55:18.608000+00Z", at(microsecond=608_000)),
        ("2026-11-23T18:55:18+00:00Z", at()),
        ("2026-11-23T20:55:18+02:00", at()),
        ("2026-11-23T20:55:18+02:00Z", at()),
        ("2026-11-23", at(0, 0, 0)),
    ],
)
def test_text_is_time_in_utc(text, expected):
    found = moment(text)
    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize("number", [1_795_460_118, 1_795_460_118.0, 1_795_460_118_000, 1_795_460_118_000.0])
def test_number_is_seconds_or_milliseconds(number):
    assert moment(number) == at()


def test_largest_number_of_seconds():
    assert moment(1e11) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1e11)
    assert moment(1e11 + 1) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1e8, milliseconds=1)
    assert moment(1e11 + 1_000) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1e8 + 1)


@pytest.mark.parametrize("text", ["2026-11-23T18:55:18", "2026-11-23T18:55:18Z", "2026-11-23T18:55:18+00:00"])
def test_time_without_zone_is_utc_anywhere(text, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    clock.tzset()
    try:
        assert moment(text) == at()
    finally:
        monkeypatch.undo()
        clock.tzset()


def test_number_below_zero_is_time_before_1970():
    assert moment(-1) == datetime(1970, 1, 1, tzinfo=UTC) - timedelta(seconds=1)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "",
        "Z",
        "+00Z",
        "soon",
        "2026-13-01T00:00Z",
        "2026-11-23T18:55:18x",
        "0001-01-01T00:00:00+23:59",
        "\ud800",
    ]
    + [float("nan"), float("inf"), -float("inf"), 10**400, -(10**400), 1e300, b"2026-11-23", [], {}, object()],
)
def test_other_values_are_none(value):
    assert moment(value) is None


@given(
    value=st.text()
    | st.integers()
    | st.floats()
    | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:\d\d)?Z?)?", fullmatch=True)
)
@example("9999-12-31T23:59:59-23:59")
def test_any_value_gives_utc_or_none(value):
    found = moment(value)
    assert found is None or (isinstance(found, datetime) and found.tzinfo is UTC)


@given(time=st.datetimes(min_value=datetime(1900, 1, 1)), zone=st.sampled_from(["", "Z", "+00:00", "+00Z", "+00:00Z"]))  # noqa: DTZ001 - naive
def test_every_time_comes_out_as_it_went_in(time, zone):
    assert moment(time.isoformat() + zone) == time.replace(tzinfo=UTC)


@given(time=st.datetimes(timezones=st.just(UTC)).map(lambda time: time.replace(second=0, microsecond=0)))
def test_time_that_lost_its_seconds_is_still_time(time):
    assert moment(time.isoformat()[:16] + "Z") == time
