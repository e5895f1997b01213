"""The drivers of machines, blocking and async: they carry out steps and turn exceptions into failures."""

import threading
from functools import partial

import httpx
import pytest

from comfydeploy import BackoffStrategy, Failure, RequestOptions, RetryConfig, Success, errors
from comfydeploy._drivers import steps
from comfydeploy._wire.timeline import Timeline
from comfydeploy.funcs import run_get

AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0))


def machine_of(*, work=None, seconds=None, retries=None, wrong=None):
    """Return a machine that takes each of the given steps and returns their answers."""

    def machine(timeline):
        found = []
        if wrong is not None:
            raise wrong
        if seconds is not None:
            found.append((yield from timeline.sleep(seconds)))
        if work is not None:
            found.append((yield from timeline.compute(work)))
        if retries is not None:
            found.append((yield from timeline.send(run_get.OPERATION, ARGUMENTS, retries=retries)))
        return Success(found)

    return machine


ARGUMENTS = {"run_id": "r", "queue_position": None}


@pytest.fixture
def driven(calls):
    def drive(core, options, machine):
        if calls.awaited:
            return calls.run(steps.run_steps_async(core, options, machine))
        return steps.run_steps(core, options, machine)

    return drive


def test_steps_are_carried_out(calls, driven):
    assert driven(calls.core(), None, machine_of(seconds=0.001, work=lambda: 5)).unwrap() == [None, 5]


def test_files_are_read_beside_event_loop(calls, driven):
    (thread,) = driven(calls.core(), None, machine_of(work=threading.get_ident)).unwrap()
    assert (thread != threading.get_ident()) is calls.awaited


@pytest.mark.parametrize(("retries", "count"), [(False, 1), (True, 3)])
def test_only_repeatable_requests_are_repeated(calls, driven, retries, count):
    answers = [httpx.Response(503), httpx.Response(503), httpx.Response(404)]
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    (result,) = driven(
        calls.core(transport=transport, retry_config=AT_ONCE), RequestOptions(), machine_of(retries=retries)
    ).unwrap()
    assert len(answers) == 3 - count
    assert result.failure().status_code == (404 if retries else 503)


def test_our_errors_are_failures(calls, driven):
    error = errors.SDKValidationError("no")
    result = driven(calls.core(), None, machine_of(wrong=error))
    assert result.failure() is error
    assert error.__traceback__ is None


def test_wrong_options_are_failure(calls, driven):
    error = driven(calls.core(), RequestOptions(deadline=-1), machine_of()).failure()
    assert error.problems[0].path == "$.options.deadline"


def test_exception_before_a_step_is_not_sent(calls, driven):
    error = driven(calls.core(), None, machine_of(wrong=LookupError("x"))).failure()
    assert (type(error), error.fate, error.message) == (errors.UnexpectedClientError, "not_sent", "LookupError: x")


def test_exception_in_a_step_is_unknown(calls, driven):
    def work():
        raise LookupError

    error = driven(calls.core(), None, machine_of(work=work)).failure()
    assert (type(error), error.fate) == (errors.UnexpectedClientError, "unknown")


def test_memory_errors_pass(calls, driven):
    with pytest.raises(MemoryError):
        driven(calls.core(), None, machine_of(wrong=MemoryError()))


def test_invalid_core_is_a_failure(driven):
    (result,) = driven(None, None, machine_of(retries=False)).unwrap()
    assert isinstance(result, Failure)


def test_timeline_begins_with_its_options():
    begun = partial(Timeline.beginning, now=5.0)
    assert begun(RequestOptions(deadline=3)).deadline == 8.0
    assert begun(None).deadline == float("inf")
