"""The settings of a call from its core and its options; an invalid option is named."""

import httpx
import pytest
from attrs import evolve

from comfydeploy._wire.deadline import Deadline
from comfydeploy._wire.fate import REFUSED
from comfydeploy._wire.retry import READ_CODES
from comfydeploy._wire.settings import (
    checked_options,
    deadline_of,
    idle_limit,
    retry_policy,
    size_limit,
    time_limits,
    within,
)
from comfydeploy.errors import SDKValidationError
from comfydeploy.options import BackoffStrategy, RequestOptions, RetryConfig

NO_NUMBERS = [True, "5", -1, -0.5, float("nan"), float("inf"), [5], (1, 2)]


def test_without_choice_operation_decides():
    assert time_limits(None, None, 60.0) == {"connect": 10.0, "read": 60.0, "write": 60.0, "pool": None}
    assert time_limits(None, None, None) == {"connect": 10.0, "read": None, "write": 60.0, "pool": None}


def test_number_limits_all_phases_but_pool():
    assert time_limits(5, None, 60.0) == {"connect": 5, "read": 5, "write": 5, "pool": None}
    assert time_limits(None, 0.5, None) == {"connect": 0.5, "read": 0.5, "write": 0.5, "pool": None}


def test_limit_of_call_beats_limit_of_core():
    assert time_limits(5, 7, 60.0)["read"] == 7
    assert time_limits(httpx.Timeout(5), 7, 60.0)["pool"] is None


def test_timeout_of_httpx_is_used_as_it_is():
    chosen = httpx.Timeout(5.0, connect=1.0, pool=None, read=None)
    assert time_limits(chosen, None, 60.0) == {"connect": 1.0, "read": None, "write": 5.0, "pool": None}
    assert time_limits(5, httpx.Timeout(None), 60.0) == dict.fromkeys(["connect", "read", "write", "pool"])


def test_limits_of_two_calls_are_two_objects():
    chosen = httpx.Timeout(5.0)
    assert time_limits(chosen, None, None) is not time_limits(chosen, None, None)


@pytest.mark.parametrize("wrong", [*NO_NUMBERS, 0, 0.0, object()])
def test_wrong_time_limit_is_named(wrong):
    with pytest.raises(
        SDKValidationError, match=r"^timeout: expected seconds above 0 or an httpx\.Timeout, got"
    ) as caught:
        time_limits(wrong, None, 60.0)
    assert [problem.path for problem in caught.value.problems] == ["$.timeout"]
    with pytest.raises(SDKValidationError, match=r"^options\.timeout: expected seconds"):
        time_limits(5, wrong, 60.0)


def test_wrong_number_is_shown():
    with pytest.raises(SDKValidationError, match=r"got int -1$") as caught:
        time_limits(-1, None, 60.0)
    assert caught.value.raw_value == -1


@pytest.mark.parametrize("limit", [None, 5, 0.1])
def test_limit_of_silence_is_callers(limit):
    assert idle_limit(RequestOptions(idle_timeout=limit)) == limit


@pytest.mark.parametrize("wrong", [*NO_NUMBERS, 0])
def test_wrong_limit_of_silence_is_named(wrong):
    with pytest.raises(SDKValidationError, match=r"^options\.idle_timeout: expected seconds above 0"):
        idle_limit(RequestOptions(idle_timeout=wrong))


def test_size_may_be_any_above_0():
    assert size_limit(RequestOptions()) == 64 * 2**20
    assert size_limit(RequestOptions(max_response_size=1)) == 1


@pytest.mark.parametrize("wrong", [*NO_NUMBERS, 0, 1.5])
def test_wrong_size_is_named(wrong):
    with pytest.raises(
        SDKValidationError, match=r"^options\.max_response_size: expected bytes as an integer above 0, got"
    ):
        size_limit(RequestOptions(max_response_size=wrong))


def test_deadline_counts_from_the_call():
    assert deadline_of(RequestOptions(), 100.0) is None
    assert deadline_of(RequestOptions(deadline=5), 100.0) == Deadline(100.0, 105.0)
    assert deadline_of(RequestOptions(deadline=0.5), 100.0) == Deadline(100.0, 100.5)


@pytest.mark.parametrize("wrong", [*NO_NUMBERS, 0])
def test_wrong_deadline_is_named(wrong):
    with pytest.raises(SDKValidationError, match=r"^options\.deadline: expected seconds above 0, got"):
        deadline_of(RequestOptions(deadline=wrong), 100.0)


def test_options_may_be_left_out():
    assert checked_options(None) == RequestOptions()
    given = RequestOptions(timeout=5)
    assert checked_options(given) is given


@pytest.mark.parametrize("wrong", [{}, {"timeout": 5}, 5, "x", RetryConfig()])
def test_options_of_another_kind_are_named(wrong):
    with pytest.raises(SDKValidationError, match=r"^options: expected a RequestOptions, got"):
        checked_options(wrong)


def test_no_retries_by_default():
    assert retry_policy(None, RequestOptions(), creates="nothing").config.strategy == "none"
    assert retry_policy(None, RequestOptions(retry_codes=[500]), creates="run").config.strategy == "none"


def test_retries_of_call_beat_those_of_core():
    core, call = RetryConfig(), RetryConfig("none")
    assert retry_policy(core, RequestOptions(), creates="nothing").config is core
    assert retry_policy(core, RequestOptions(retries=call), creates="nothing").config is call
    assert retry_policy(None, RequestOptions(retries=core), creates="nothing").config is core


def test_call_that_creates_is_careful():
    reads = retry_policy(RetryConfig(), RequestOptions(), creates="nothing")
    creates = retry_policy(RetryConfig(), RequestOptions(), creates="run")
    assert (reads.codes, reads.is_repeatable) == (READ_CODES, True)
    assert (creates.codes, creates.is_repeatable) == (REFUSED, False)


@pytest.mark.parametrize("codes", [[500, 418], (500, 418), {500, 418}, {500: 1, 418: 2}, iter([500, 418])])
def test_codes_of_call_win(codes):
    policy = retry_policy(RetryConfig(), RequestOptions(retry_codes=codes), creates="run")
    assert (policy.codes, policy.is_repeatable) == ({500, 418}, False)


def test_no_codes_are_no_codes():
    assert retry_policy(RetryConfig(), RequestOptions(retry_codes=[]), creates="nothing").codes == frozenset()


@pytest.mark.parametrize("wrong", [500, "500", ["500"], [500.0], [True], [None], [[500]]])
def test_wrong_codes_are_named(wrong):
    with pytest.raises(SDKValidationError, match=r"^options\.retry_codes: expected a list of integers, got"):
        retry_policy(None, RequestOptions(retry_codes=wrong), creates="nothing")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (5, ": expected a RetryConfig, got int 5"),
        ("backoff", ": expected a RetryConfig, got str"),
        (RetryConfig("often"), ".strategy: expected 'none' or 'backoff', got str"),
        (RetryConfig(None), ".strategy: expected 'none' or 'backoff', got NoneType"),
        (RetryConfig(backoff={}), ".backoff: expected a BackoffStrategy, got dict"),
        (RetryConfig("none", None), ".backoff: expected a BackoffStrategy, got NoneType"),
    ],
)
def test_wrong_retry_config_is_named(config, said):
    for name, core, call in (("retry_config", config, None), ("options.retries", None, config)):
        with pytest.raises(SDKValidationError) as caught:
            retry_policy(core, RequestOptions(retries=call), creates="nothing")
        assert str(caught.value) == name + said


@pytest.mark.parametrize("field", ["initial_interval", "max_interval", "exponent", "max_elapsed_time"])
@pytest.mark.parametrize("wrong", [*NO_NUMBERS, None])
def test_wrong_number_of_backoff_is_named(field, wrong):
    config = RetryConfig(backoff=BackoffStrategy(**{field: wrong}))
    with pytest.raises(
        SDKValidationError, match=rf"^retry_config\.backoff\.{field}: expected a number not below 0, got"
    ):
        retry_policy(config, RequestOptions(), creates="nothing")


def test_numbers_of_backoff_may_be_zero():
    assert retry_policy(RetryConfig(backoff=BackoffStrategy(0, 0, 0, 0)), RequestOptions(), creates="nothing")


class TestOneRequestOfSeveral:
    GIVEN = RequestOptions(timeout=5, retries=RetryConfig(), retry_codes=[404], headers={"a": "b"}, idle_timeout=7)

    def test_is_sent_once(self):
        once = within(self.GIVEN, 3.0)
        assert (once.timeout, once.headers, once.deadline) == (5, {"a": "b"}, 3.0)
        assert (once.retries.strategy, once.retry_codes, once.idle_timeout) == ("none", None, None)

    def test_may_allow_retries(self):
        assert within(self.GIVEN, 3.0, retries=True) == evolve(self.GIVEN, deadline=3.0)

    def test_has_time_for_answer(self):
        assert 0 < within(None, -1.0).deadline < 0.1

    def test_may_have_no_deadline(self):
        assert within(None, None).deadline is None
