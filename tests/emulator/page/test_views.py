"""What the page shows of runs."""

from datetime import UTC, datetime, timedelta

import pytest

from comfydeploy._emulator.page.views import age, clock, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (-1, "0.00 s"),
        (0.424, "0.42 s"),
        (9.1, "9.10 s"),
        (60, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_are_written_in_two_units(seconds, text):
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "just now"),
        (9.9, "just now"),
        (10, "10 s ago"),
        (59, "50 s ago"),
        (119, "1 min ago"),
        (3600, "1 h ago"),
        (172_800, "2 d ago"),
    ],
)
def test_ages_are_written_coarsely(seconds, text):
    assert age(timedelta(seconds=seconds)) == text


def test_moments_are_written_to_the_millisecond():
    assert clock(datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)) == "2026-01-02 03:04:05.678"
