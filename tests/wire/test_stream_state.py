"""The state of a stream, without I/O."""

import httpx
import pytest

from comfydeploy._wire.deadline import Deadline, Until
from comfydeploy._wire.events import RunStreamDecoder
from comfydeploy._wire.stream_state import StreamState
from comfydeploy.errors import MalformedEvent, RequestAbortedError, RequestTimeoutError
from comfydeploy.result import Success

EVENT = b'event: event_update\ndata: {"event": "queuing", "data": {"prompt_id": "r"}}\n\n'
LATE = httpx.ReadTimeout("timed out")


@pytest.fixture(
    params=[None, 60.0, Until(5.0, 100.0, Deadline(50.0, 100.0))], ids=["no limit", "idle limit", "deadline"]
)
def state(request):
    made = StreamState(RunStreamDecoder(), request.param)
    made.limit = request.param
    return made


def test_items_then_end(state):
    assert not state.take(EVENT)
    assert state.run_id == "r"
    assert state.take(None)
    assert state.has_ended
    assert [type(item) for item in state.ready] == [Success]


def test_expires_at_deadline_only(state):
    state.take(EVENT)
    assert not state.expire(99.0)
    assert state.expire(100.0) == isinstance(state.limit, Until)
    if state.has_ended:
        error = state.ready[-1].failure()
        assert error.message == "The deadline of 50 s passed while the response was read"
        assert (type(error), error.fate, error.run_id) == (RequestTimeoutError, "answered", "r")


@pytest.mark.parametrize(("now", "is_late"), [(99.0, False), (101.0, True)])
def test_time_out_past_deadline_names_it(state, now, is_late):
    state.take(EVENT)
    state.fail(LATE, now, closed=False)
    error = state.ready[-1].failure()
    assert isinstance(error, RequestTimeoutError)
    assert error.run_id == "r"
    assert ("The deadline of 50 s" in error.message) == (is_late and isinstance(state.limit, Until))


def test_cut_keeps_whole_events_only(state):
    state.take(EVENT + EVENT[:30])
    state.fail(httpx.ReadError("reset"), 200.0, closed=False)
    assert [type(item).__name__ for item in state.ready] == ["Success", "Failure"]
    assert not isinstance(state.ready[-1].failure(), RequestTimeoutError | MalformedEvent)
    state.fail(httpx.ReadError("again"), 200.0, closed=False)
    assert len(state.ready) == 2


def test_closing_is_one_item(state):
    state.take(EVENT)
    assert state.abort("closed")
    assert not state.abort("closed again")
    (item,) = state.ready
    assert isinstance(item.failure(), RequestAbortedError)
    assert item.failure().message == "closed"
    assert item.failure().run_id == "r"
    refused = state.refused_reader().failure()
    assert refused.message == "The stream is being read already: read it in one thread or task at a time"
    assert (refused.fate, refused.run_id) == ("answered", "r")
