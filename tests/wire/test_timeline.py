"""The time that each action of a machine has."""

import pytest

from comfydeploy._wire.steps import Answer
from comfydeploy._wire.timeline import Send, Store, Timeline
from comfydeploy._wire.upload import checked_storage_upload
from comfydeploy.errors import SDKError
from comfydeploy.funcs import run_get
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Success

UPLOAD = checked_storage_upload(b"x", "a.png", None)
READ = run_get.OPERATION


@pytest.mark.parametrize(("deadline", "seconds"), [(None, None), (8.0, 5.0)])
def test_deadline_limits_every_action(deadline, seconds):
    timeline = Timeline(3.0, deadline)
    assert next(timeline.store("http://x", UPLOAD)) == Store("http://x", UPLOAD, seconds)
    assert next(timeline.send(READ, 5)) == Send(READ, 5, seconds, retries=False)
    assert next(timeline.send(READ, 5, until=7.0, retries=True)) == Send(READ, 5, 4.0, retries=True)
    assert next(timeline.send(READ, 5, until=99.0)).seconds == (seconds or 96.0)


@pytest.mark.parametrize(("options", "deadline"), [(None, float("inf")), (RequestOptions(deadline=5), 8.0)])
def test_deadline_counts_from_the_beginning(options, deadline):
    timeline = Timeline.beginning(options, 3.0)
    assert (timeline.now, timeline.deadline, timeline.dice) == (3.0, deadline, 0.0)


@pytest.mark.parametrize(
    ("error", "deadline", "final", "is_retried"),
    [
        (SDKError("x", 503), None, (), True),
        (SDKError("x", 503), None, {503}, False),
        (SDKError("x", 503), None, {500}, True),
        (SDKError("x", 404), None, (), False),
        (SDKError("x", 503), 0.25, (), False),
        (SDKError("x", 503), 0.26, (), True),
        (SDKError("x", 503, headers={"retry-after": "10"}), None, (), False),
        (SDKError("x", 503, headers={"retry-after": "9"}), None, (), True),
    ],
)
def test_failed_read_is_retried_in_time(error, deadline, final, is_retried):
    steps = Timeline(0.0, deadline).read(READ, 5, 10.0, final=final)
    assert next(steps).seconds == min(30.0, deadline or 30.0)
    if not is_retried:
        with pytest.raises(StopIteration) as caught:
            steps.send(Answer(Failure(error), 0.0, 0.0))
        assert caught.value.value == Failure(error)
        return
    pause = steps.send(Answer(Failure(error), 0.0, 0.0)).seconds
    assert pause == (9.0 if error.headers else 0.25)
    assert isinstance(steps.send(Answer(None, pause, 0.0)), Send)
    with pytest.raises(StopIteration) as caught:
        steps.send(Answer(Success("run"), pause, 0.0))
    assert caught.value.value == Success("run")
