"""A deadline inside of time limits."""

import httpx
import pytest

from comfydeploy._wire.deadline import Deadline, Until, limits_of, remaining, shared, started

LIMITS = {"connect": 10.0, "read": None, "write": 60.0, "pool": None}


def test_no_limit_ends_at_deadline():
    deadline = Deadline(90.0, 130.0)
    found = deadline.limited(LIMITS, 100.0)
    assert found == {"connect": 10, "read": 30, "write": 30, "pool": 30}
    assert {(limit.at, limit.deadline) for limit in found.values()} == {(130.0, deadline)}


@pytest.mark.parametrize(("now", "has_passed"), [(129.9, False), (130.0, True), (130.1, True)])
def test_deadline_passes_at_its_moment(now, has_passed):
    assert Deadline(90.0, 130.0).has_passed(now) is has_passed


def test_exceeded_names_seconds_and_phase():
    error = Deadline(90.0, 130.0).exceeded("while connecting", "not_sent", "r")
    assert (error.message, error.fate, error.run_id) == (
        "The deadline of 40 s passed while connecting",
        "not_sent",
        "r",
    )


def test_limits_of_request():
    assert limits_of(httpx.Request("GET", "http://h", extensions={"timeout": {"read": 5.0}})) == {"read": 5.0}
    assert limits_of(httpx.Request("GET", "http://h")) == {}


def test_steps_have_equal_shares():
    assert shared(None, 2, 100.0) is None
    assert shared(6.0, 3, 100.0) == 2
    assert shared(Until(6, 104), 2, 100.0) == 2


def test_limit_past_deadline_is_above_zero():
    assert all(0 < limit < 0.1 for limit in Deadline(80.0, 90.0).limited(LIMITS, 100.0).values())


@pytest.mark.parametrize(
    ("limit", "left"), [(None, None), (5.0, 5.0), (Until(5, 130), 5.0), (Until(5, 102), 2.0), (Until(5, 99), -1.0)]
)
def test_remaining_seconds(limit, left):
    assert remaining(limit, 100.0) == left


def test_steps_share_limit():
    assert started(None, 100.0) is None
    assert remaining(started(5.0, 100.0), 103.0) == 2
    until = Until(5, 130)
    assert remaining(started(until, 100.0), 101.0) == 4
    assert remaining(started(until, 128.0), 129.0) == 1
    assert started(until, 128.0).deadline is until.deadline
