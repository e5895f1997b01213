"""The settings of a wait."""

import pytest

from comfydeploy._wire.polling import FIRST
from comfydeploy._wire.steps import Done, Poll, Sleep
from comfydeploy._wire.wait_settings import WaitSettings
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import PollFailed
from comfydeploy.result import Failure, Success

RUN = WorkflowRunModel(id="r", status="running")


@pytest.mark.parametrize(
    "settings",
    [
        WaitSettings(on_abandon="stop"),
        WaitSettings(on_abandon=5),
        WaitSettings(on_queued="print"),
        WaitSettings(on_update=5),
        WaitSettings(RequestOptions(deadline=0)),
        WaitSettings("fast"),
    ],
)
def test_wrong_settings_are_result(settings):
    problem = settings.problem()
    assert isinstance(problem, SDKValidationError)
    step = settings.follower("r", 0.0).step
    assert isinstance(step, Done)
    assert step.result.failure().message == problem.message


def test_right_settings_have_no_problem():
    assert WaitSettings(RequestOptions(deadline=5), "cancel", print, print).problem() is None
    assert WaitSettings().problem() is None


def test_first_step():
    assert isinstance(WaitSettings().follower("r", 10.0).step, Poll)
    assert WaitSettings().follower("r", 10.0, began=9.0).step == Sleep(FIRST)


def test_deadline_counts_from_creating_request():
    settings = WaitSettings(RequestOptions(deadline=5))
    assert isinstance(settings.follower("r", 10.0, began=9.0).step, Sleep)
    # Of 5 s, 4.9 s or all have passed: there is only time for the last read.
    assert settings.follower("r", 10.0, began=5.1).step == Sleep(pytest.approx(0.08))
    assert settings.follower("r", 10.0, began=1.0).step == Poll(queue_position=True, seconds=0.1)


def test_callbacks():
    seen = []
    settings = WaitSettings(None, "leave", seen.append, seen.append)
    follower = settings.follower("r", 0.0)
    settings.queued("r")
    settings.updated(Success(RUN), follower)
    settings.updated(Failure(PollFailed(SDKValidationError("no"))), follower)
    assert seen == ["r", RUN]
    follower.abandon(0.0)
    settings.updated(follower.result, follower)
    assert seen == ["r", RUN]


def test_without_callbacks():
    settings = WaitSettings()
    settings.queued("r")
    settings.updated(Success(RUN), settings.follower("r", 0.0))


def test_result_is_no_update():
    seen = []
    settings = WaitSettings(on_update=seen.append)
    follower = settings.follower("r", 0.0)
    follower.feed(Success(WorkflowRunModel(id="r", status="success")), 0.0, 0.0)
    settings.updated(follower.result, follower)
    assert isinstance(follower.result, Success)
    assert seen == []
