"""Queueing once, against a simulated service: one request, and a search where its response is lost."""

from datetime import timedelta
from functools import partial
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_service import BEGINNING, HANG, LISTS, LOST, Service

from comfydeploy._wire.keys import KEY_INPUT
from comfydeploy._wire.queue_once import queueing_once, queueing_with_files
from comfydeploy.errors import (
    ConnectionError,
    HTTPValidationError,
    RequestAbortedError,
    RequestTimeoutError,
    SDKError,
    SDKValidationError,
)
from comfydeploy.funcs.run_queue_and_wait import SENDING
from comfydeploy.models import DeploymentRunRequest, QueuedOnce
from comfydeploy.result import Success

REQUEST = {"workflow_id": "w", "workflow_api_json": {}, "inputs": {"prompt": "a cat"}}
OTHERS = [(-index, f"r{index}", {}) for index in range(5)]
BUSY = SDKError("busy", 503)


def once(service, request=REQUEST, key="k", *, settle=60.0, since=None, cache=None, deadline=None):
    machine = partial(
        queueing_once, lists=LISTS, sending=SENDING, request=request, key=key, settle=settle, since=since, cache=cache
    )
    return service.run(machine, deadline)


def test_new_key_is_queued():
    service = Service(*OTHERS)
    assert once(service) == Success(QueuedOnce("new-1", found=False))
    assert service.names == ["rows", "queue"]
    assert service.queued == [{**REQUEST, "inputs": {"prompt": "a cat", KEY_INPUT: "k"}}]
    (action,) = [action for name, action in service.sent if name == "queue"]
    assert (action.seconds, action.retries) == (None, False)


def test_known_key_is_not_queued():
    service = Service(*OTHERS)
    assert once(service).unwrap().run_id == once(service).unwrap().run_id
    assert once(service) == Success(QueuedOnce("new-1", found=True))
    assert len(service.queued) == 1


def test_oldest_of_two_runs_stands():
    service = Service((0, "second", {KEY_INPUT: "k"}), (-1, "first", {KEY_INPUT: "k"}))
    assert once(service).unwrap() == QueuedOnce("first", found=True)


def test_first_page_with_key_is_enough():
    runs = [(-index, f"r{index}", {KEY_INPUT: "k" if index == 25 else "x"}) for index in range(100)]
    service = Service(*runs)
    assert once(service).unwrap().run_id == "r25"
    assert service.offsets == [0, 20]


@pytest.mark.parametrize(
    ("request_value", "first"),
    [
        ({"deployment_id": "d"}, ["deployment"]),
        (DeploymentRunRequest(deployment_id="d"), ["deployment"]),
        ({"workflow_version_id": "v", "machine_id": "m"}, ["version"]),
        (REQUEST, []),
    ],
)
def test_every_form_leads_to_its_workflow(request_value, first):
    service = Service()
    assert once(service, request_value).unwrap().found is False
    assert service.names == [*first, "rows", "queue"]


def test_cache_saves_look_for_workflow():
    service, cache = Service(), {}
    for key in "ab":
        once(service, {"deployment_id": "d"}, key, cache=cache)
    assert service.names == ["deployment", "rows", "queue", "rows", "queue"]
    assert cache == {"d": "w"}


LOSSES = {
    "reset": LOST,
    "timeout": RequestTimeoutError("late", "unknown"),
    "500": SDKError("broken", 500),
    "502": SDKError("bad gateway", 502),
    "503": BUSY,
    "303": SDKError("see other", 303),
    "408": SDKError("the time of a proxy is over", 408),
    "499": SDKError("its client has left", 499),
    "unreadable": SDKValidationError("no JSON", fate="answered"),
    "another type": SDKError("html", 200),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_run_whose_response_is_lost_is_found(loss):
    service = Service(*OTHERS)
    service.broken = {"queue": [(loss,)]}
    assert once(service) == Success(QueuedOnce("new-1", found=True))
    assert service.names == ["rows", "queue", "rows"]


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_run_that_does_not_appear_is_unknown(loss):
    service = Service(*OTHERS)
    service.broken = {"queue": [loss]}
    error = once(service).failure()
    assert type(error) is type(loss)
    assert (error.fate, error.message) == ("unknown", loss.message)
    assert "was not found within 60 s" in error.hint
    assert "run_find('k', workflow_id='w')" in error.hint
    assert "no run at all" not in error.hint
    assert service.now == pytest.approx(60)
    assert service.names.count("queue") == 1


@given(lateness=st.floats(0, 60), latency=st.floats(0, 1), dice=st.floats(0, 1))
def test_run_that_appears_within_settle_is_found(lateness, latency, dice):
    service = Service(*OTHERS, lateness=lateness, latency=latency, dice=dice)
    service.broken = {"queue": [(LOST,)]}
    assert once(service) == Success(QueuedOnce("new-1", found=True))
    assert len(service.queued) == 1


@given(settle=st.floats(0, 100), dice=st.floats(0, 1))
def test_looks_are_few_and_last_is_at_end(settle, dice):
    service = Service(dice=dice)
    service.broken = {"queue": [LOST]}
    assert once(service, settle=settle).failure().fate == "unknown"
    assert service.now == pytest.approx(settle)
    assert service.names.count("rows") <= 12 + settle / 5
    assert all(pause <= 5.5 for pause in service.slept)


@given(st.lists(st.sampled_from([LOST, BUSY, None]), max_size=40))
def test_failed_searches_are_retried(errors):
    service = Service(*OTHERS)
    service.broken = {"rows": [None, *errors], "queue": [(LOST,)]}
    result = once(service, settle=600)
    assert result == Success(QueuedOnce("new-1", found=True))


@pytest.mark.parametrize("seconds", [0, 59, 3600, 200_000])
def test_search_begins_at_request(seconds):
    # Many other runs are queued before the response.
    service = Service(*[(seconds * index / 100, f"r{index}", {}) for index in range(101)])
    plain = service._queue

    def slow(request):
        created = plain(request)
        service.now += seconds
        return created

    service._queue = slow
    service.broken = {"queue": [(LOST,)]}
    assert once(service).unwrap() == QueuedOnce("new-1", found=True)


@pytest.mark.parametrize(("lateness", "is_found"), [(-60, True), (-60.5, False)])
def test_search_begins_a_minute_before_request(lateness, is_found):
    service = Service(*OTHERS, lateness=lateness)
    service.broken = {"queue": [(LOST,)]}
    assert isinstance(once(service, settle=0), Success) is is_found


def test_search_without_settle_is_made_once():
    service = Service(*OTHERS)
    service.broken = {"queue": [LOST], "rows": [None, LOST]}
    assert once(service, settle=0).failure().hint.endswith("The last search failed: lost.")
    assert (service.names, service.slept) == (["rows", "queue", "rows"], [])


def test_hint_has_the_time_of_the_search():
    service = Service(*OTHERS, latency=10.0)
    service.broken = {"queue": [LOST]}
    assert "was not found within 20 s" in once(service, settle=15).failure().hint


def test_first_pauses_of_search_are_short():
    service = Service(*OTHERS)
    service.broken = {"queue": [LOST]}
    once(service, settle=1)
    assert service.slept == [0.25, 0.375, 0.375]


@pytest.mark.parametrize("distance", [100, 1])
def test_look_behind_loss_reads_little(distance):
    service = Service(*[(-distance * index, f"r{index}", {}) for index in range(500)])
    service.broken = {"queue": [(LOST,)]}
    once(service, since=BEGINNING - timedelta(seconds=5))
    assert service.offsets == [0, 0]


@pytest.mark.parametrize(
    ("refused", "fate"),
    [
        (ConnectionError("refused", "not_sent"), "not_sent"),
        (HTTPValidationError([]), "answered"),
        (SDKError("no", 404), "answered"),
        (SDKError("slow down", 429), "answered"),
        (SDKError("elsewhere", 307), "answered"),
    ],
)
def test_refusal_is_final(refused, fate):
    service = Service()
    service.broken = {"queue": [refused]}
    assert once(service).failure() is refused
    assert refused.fate == fate
    assert service.names == ["rows", "queue"]


@pytest.mark.parametrize("route", ["deployment", "rows"])
def test_without_first_look_nothing_is_sent(route):
    service = Service()
    service.broken = {route: [LOST] * 999}
    error = once(service, {"deployment_id": "d"}, settle=10).failure()
    assert (type(error), error.fate) == (ConnectionError, "not_sent")
    assert service.queued == []
    assert 5 < service.now <= 10


def test_empty_list_is_named():
    service = Service(workflow="mine")
    service.broken = {"queue": [LOST]}
    error = once(service, settle=0).failure()
    assert error.hint.endswith("The list has no run at all: the workflow may not be yours.")
    assert "within 0 s" in error.hint


def test_failed_search_is_named():
    service = Service(*OTHERS)
    service.broken = {"queue": [LOST], "rows": [None, SDKError("no.", 403)]}
    error = once(service).failure()
    assert (type(error), error.fate) == (ConnectionError, "unknown")
    assert error.hint.endswith("The last search failed: no.")
    assert service.now == 0


def test_closed_core_ends_look():
    service = Service(*OTHERS)
    closed = RequestAbortedError("closed", "not_sent")
    service.broken = {"queue": [RequestAbortedError("closed", "unknown")], "rows": [None, closed, closed]}
    assert once(service).failure().fate == "unknown"
    assert service.now == 0


def test_retry_after_is_kept():
    service = Service(*OTHERS)
    busy = SDKError("busy", 503, headers={"retry-after": "20"})
    service.broken = {"queue": [(LOST,)], "rows": [None, busy, busy]}
    assert once(service).unwrap().found
    assert service.slept == [20, 20]


class TestDeadline:
    @pytest.mark.parametrize("deadline", [1, 10, 100])
    def test_hanging_request_leaves_time_for_look(self, deadline):
        service = Service(*OTHERS)
        service.broken = {"queue": [HANG]}
        error = once(service, deadline=deadline).failure()
        assert (type(error), error.fate) == (RequestTimeoutError, "unknown")
        assert service.names == ["rows", "queue", "rows"]
        assert service.now <= deadline

    @given(deadline=st.floats(0.01, 100), latency=st.floats(0, 5))
    def test_is_kept(self, deadline, latency):
        service = Service(*OTHERS, latency=latency)
        service.broken = {"queue": [LOST], "rows": [LOST, BUSY]}
        once(service, deadline=deadline)
        assert service.now <= deadline + 1e-6

    def test_long_settle_ends_before_it(self):
        service = Service(*OTHERS)
        service.broken = {"queue": [LOST]}
        assert once(service, settle=600, deadline=30).failure().fate == "unknown"
        assert service.now == pytest.approx(25)


class TestFiles:
    def test_are_uploaded_after_look(self):
        service = Service()
        once(service, {**REQUEST, "inputs": {"image": ("a.png", b"x")}})
        assert service.names == ["rows", "upload", "queue"]
        assert service.queued[0]["inputs"] == {"image": "https://files/1", KEY_INPUT: "k"}

    def test_of_known_key_are_not_uploaded(self):
        service = Service((0, "r", {KEY_INPUT: "k"}))
        assert once(service, {**REQUEST, "inputs": {"image": ("a.png", b"x")}}).unwrap().run_id == "r"
        assert service.names == ["rows"]

    def test_that_fail_leave_nothing_sent(self):
        service = Service()
        service.broken = {"upload": [LOST]}
        error = once(service, {**REQUEST, "inputs": {"image": ("a.png", b"x")}}).failure()
        assert (error.fate, error.hint) == ("not_sent", "It is the upload of the file at $.inputs.image.")
        assert service.queued == []


class TestQueueingWithFiles:
    def test_uploads_and_queues(self):
        service = Service()
        request = {**REQUEST, "inputs": {"image": ("a.png", b"x")}}
        machine = partial(queueing_with_files, sending=SENDING, request=request)
        assert service.run(machine).unwrap().run_id == "new-1"
        assert [(action.retries, action.seconds) for _, action in service.sent] == [(True, None)] * 2

    def test_without_inputs_only_queues(self):
        service = Service()
        service._queue = lambda request: request
        machine = partial(queueing_with_files, sending=SENDING, request={"deployment_id": "d"})
        assert service.run(machine).unwrap() == {"deployment_id": "d"}
        assert service.names == ["queue"]

    def test_stops_at_upload_that_fails(self):
        service = Service()
        service.broken = {"upload": [LOST]}
        request = {**REQUEST, "inputs": {"image": ("a.png", b"x")}}
        assert service.run(partial(queueing_with_files, sending=SENDING, request=request)).failure().fate == "not_sent"
        assert service.queued == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"request": {**REQUEST, "batch_number": 2}}, "batch"),
        ({"request": {**REQUEST, "batch_input_params": {}}}, "batch"),
        ({"request": {**REQUEST, "is_native_run": True}}, "native"),
        ({"request": {**REQUEST, "execution_mode": "sync"}}, "execution_mode"),
        ({"request": {"deployment_id": ""}}, "request.deployment_id"),
        ({"request": {}}, "request"),
        ({"request": {**REQUEST, "inputs": {KEY_INPUT: "other"}}}, "another key"),
        ({"key": ""}, "key"),
        ({"settle": -1}, "^settle: expected seconds not below 0, got -1$"),
        ({"settle": True}, "settle"),
        ({"settle": nan}, "settle"),
        ({"settle": inf}, "settle"),
        ({"settle": "60"}, "settle"),
        ({"since": 5}, "since"),
        ({"cache": 5}, "cache"),
    ],
)
def test_wrong_arguments_send_nothing(changes, named):
    service = Service()
    with pytest.raises(SDKValidationError, match=named):
        once(service, **changes)
    assert service.sent == []
