"""Many runs followed by few requests: the requests, the delay of ends, and that none is missed."""

from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_runs import PLACE, Night, Service, moment

from comfydeploy._mapping.following import Following
from comfydeploy._mapping.listing import ENDED, LIVING, PAGE
from comfydeploy._mapping.requests import A_SECOND, BURST, FindWorkflow, ListRows, ReadRun
from comfydeploy._wire.run_search import SearchScope
from comfydeploy._wire.steps import Sleep
from comfydeploy.errors import ConnectionError, InvalidRequestError, SDKError
from comfydeploy.models import WorkflowRunModel, WorkflowRunRow
from comfydeploy.result import Failure, Success

BUSY = SDKError("busy", 503)


def night(*, dice=lambda: 0.5, **service):
    return Night(Service(**service), dice)


def failing(error, *numbers):
    """Return faults for the requests with these numbers, for all without numbers."""
    counted = count()
    return lambda _: error if not numbers or next(counted) in numbers else None


def kinds(found):
    return [type(action) for action in found.requests]


def lists(found):
    return [action for action in found.requests if isinstance(action, ListRows)]


def times(found):
    return [round(at, 2) for at, _ in found.service.sent]


def test_one_run_is_found_and_listed():
    found = night()
    found.start("a", takes=10)
    found.go()
    first = lists(found)[0]
    assert kinds(found)[:2] == [FindWorkflow, ListRows]
    assert found.requests[0].place == PLACE
    assert (first.workflow_id, first.deployment_id, first.status, first.since) == ("w", "d", None, None)
    assert first.arguments() == {
        "workflow_id": "w",
        "deployment_id": "d",
        "status": None,
        "rf": None,
        "limit": 12,
        "offset": 0,
    }
    assert lists(found)[1].since == moment(0)
    assert found.lateness("a") < 1.6
    assert found.following.next(99.0) is None


def test_a_workflow_is_not_looked_up():
    found = night()
    found.start("a", SearchScope(workflow_id="w"), takes=1)
    found.go()
    assert {action.deployment_id for action in found.requests} == {None}
    assert set(kinds(found)) == {ListRows}


def test_fresh_runs_are_listed_more_often():
    found = night(latency=0.0)
    found.start("a", SearchScope(workflow_id="w"), takes=700)
    found.go()
    pauses = [after - before for before, after in zip([0.0, *times(found)], times(found), strict=False)]
    assert pauses[:6] == pytest.approx([0.25, 0.39, 0.6, 0.88, 1.33, 1.57], abs=0.02)
    assert pauses[100] == pytest.approx(1.57, abs=0.02)
    assert max(pauses[-10:]) == pytest.approx(5.25, abs=0.02)


def test_short_runs_are_seen_in_time():
    found = night()
    for number in range(400):
        found.plan(number * 0.1, f"r{number}", takes=2)
    found.go()
    late = sorted(map(found.lateness, found.ended))
    assert late[len(late) // 2] < 0.5
    assert len(found.requests) < 120


def test_runs_that_end_together_share_requests():
    found = night()
    for number in range(1000):
        found.plan(number * 0.005, f"r{number}", takes=0)
    found.go()
    assert len(found.ended) == 1000
    assert len(found.requests) < 100
    assert found.now < 6


@pytest.mark.parametrize("runs", [1, 20, 300, 1000])
def test_the_number_of_runs_does_not_matter(runs):
    """A queue that a machine executes one by one, followed for a minute."""
    found = night()
    for number in range(runs):
        found.start(f"r{number}", waits=number * 10.0, takes=10)
    found.go(60.0)
    assert len(found.ended) == min(runs, 5)
    assert max(map(found.lateness, found.ended)) < 4
    assert len(found.requests) <= BURST + 60 * A_SECOND


def test_a_long_queue_is_read_by_its_ends():
    found = night()
    for number in range(300):
        found.start(f"r{number}", waits=number * 10.0, takes=10)
    found.go(60.0)
    assert [action.status for action in lists(found)[-5:]] == [None, *ENDED]


def test_long_runs_among_many_short_ones():
    """There are many more ends since the oldest run than runs in progress."""
    found = night()
    for number in range(30):
        found.start(f"long{number}", takes=80)
    for number in range(1000):
        found.plan(1 + number * 0.05, f"r{number}", takes=2)
    found.go()
    assert len(found.ended) == 1030
    assert max(found.lateness(f"long{number}") for number in range(30)) < 5
    assert {action.status for action in lists(found)} >= set(LIVING)
    assert found.false == 0


def test_few_unlisted_runs_are_read():
    found = night()
    found.start("stuck", takes=400)
    for number in range(120):
        found.plan(1 + number * 3, f"r{number}", takes=30)
    found.go()
    reads = [action.arguments() for action in found.requests if isinstance(action, ReadRun)]
    assert reads[0] == reads[-1] == {"run_id": "stuck", "queue_position": None}
    assert found.lateness("stuck") < 6
    assert {action.status for action in lists(found)} == {None}


def test_runs_of_an_earlier_night_are_found():
    """None of them is among the newest rows, and their creation times are unknown."""
    found = night()
    for number in range(50):
        found.service.create(f"old{number}", -3600 + number, takes=3640)
    for number in range(300):
        found.service.create(f"other{number}", -60 + number / 10, takes=1)
    for number in range(50):
        found.following.add(f"old{number}", PLACE, 0.0)
    found.go(120.0)
    assert len(found.ended) == 50
    assert max(map(found.lateness, found.ended)) < 10


def test_runs_that_no_list_shows_are_read():
    found = night(lateness=1e6)
    for number in range(3):
        found.start(f"r{number}", takes=30)
    found.go()
    assert max(map(found.lateness, found.ended)) < 12
    reads = [action for action in found.requests if isinstance(action, ReadRun)]
    assert 3 <= len(reads) < 40


def test_a_listed_run_is_read_every_ten_minutes():
    """The server ends some runs only when they are read."""
    found = night()
    found.start("a", takes=1300)
    found.go()
    reads = [round(at) for at, action in found.service.sent if isinstance(action, ReadRun)]
    assert len(reads) == 2
    assert all(600 <= after - before <= 640 for before, after in zip([0, *reads], reads, strict=False))


def test_unlisted_end_is_reported():
    following = Following(0.0)
    following.add("a", SearchScope(workflow_id="w"), 0.0)
    row = WorkflowRunRow(id="a", status="running", created_at=moment(0))
    now = 0.0
    while not isinstance(action := following.next(now), ReadRun):
        if isinstance(action, Sleep):
            now += action.seconds
        else:
            assert following.feed(Success([row]), now, 0.0) == []
    assert now == pytest.approx(600.25)
    assert following.feed(Success(WorkflowRunModel(id="a", status="cancelled")), now, 0.0) == ["a"]
    assert following.next(now) is None


def test_an_unknown_run_is_reported():
    """A wait for it ends with the answer of the server."""
    found = night()
    found.following.add("nowhere", PLACE, 0.0)
    found.go(30.0)
    assert 1 < found.ended["nowhere"] < 15


@pytest.mark.parametrize("error", [SDKError("no", 404), SDKError("no", 401), InvalidRequestError("no")], ids=str)
def test_a_place_without_lists_is_read_run_by_run(error):
    found = night(fails=lambda action: None if isinstance(action, ReadRun) else error)
    for number in range(5):
        found.start(f"r{number}", takes=200)
    found.go()
    assert len(found.ended) == 5
    assert max(map(found.lateness, found.ended)) < 6
    assert kinds(found).count(FindWorkflow) == 4
    assert len(found.requests) / found.now < 2


def test_lists_that_fail_again_and_again_are_left():
    found = night(fails=lambda action: SDKError("broken", 500) if isinstance(action, ListRows) else None)
    for number in range(5):
        found.start(f"r{number}", takes=100)
    found.go()
    assert len(found.ended) == 5
    assert max(map(found.lateness, found.ended)) < 6
    assert len(lists(found)) < 12


def test_a_list_that_comes_back_is_used_again():
    found = night()
    found.service.fails = lambda action: (
        SDKError("no", 404) if isinstance(action, ListRows) and found.now < 30 else None
    )
    found.start("a", takes=200)
    found.go()
    assert kinds(found)[-1] is ListRows
    assert 60 < next(at for at, action in reversed(found.service.sent) if isinstance(action, ReadRun)) < 70
    assert found.lateness("a") < 2


def test_errors_slow_everything_down():
    found = night(latency=0.0, fails=failing(ConnectionError("lost", "unknown"), *range(4)))
    for number in range(8):
        found.service.create(f"r{number}", 0.0, takes=30, deployment=f"d{number}")
        found.following.add(f"r{number}", SearchScope(deployment_id=f"d{number}"), 0.0)
    found.go()
    pauses = [after - before for before, after in zip(times(found), times(found)[1:], strict=False)]
    assert pauses[:6] == pytest.approx([0.26, 0.39, 0.59, 0.89, 0.0, 0.0], abs=0.02)
    assert len(found.ended) == 8


def test_retry_after_is_kept():
    busy = SDKError("busy", 429, headers={"retry-after": "20"})
    found = night(fails=failing(busy, 1))
    found.start("a", takes=5)
    found.start("b", SearchScope(workflow_id="w"), takes=5)
    found.go()
    after = [at for at, _ in found.service.sent if at > 0.5]
    assert after[0] > 20
    assert len(found.ended) == 2


def test_a_failed_read_is_sent_again():
    found = night(lateness=1e6)
    found.service.fails = lambda action: BUSY if isinstance(action, ReadRun) and found.now < 20 else None
    found.start("a", takes=5)
    found.go()
    assert 20 < found.ended["a"] < 40


def test_failed_page_ends_the_search():
    found = night()
    for number in range(300):
        found.start(f"r{number}", waits=number * 10.0, takes=10)
    broken = [True]

    def once(action):
        return BUSY if isinstance(action, ListRows) and action.status == "running" and broken and broken.pop() else None

    found.service.fails = once
    found.go(60.0)
    assert not broken
    assert len(found.ended) == 5


def test_many_unknown_runs_are_read():
    """They are in no list of runs in progress, which is no sign that they have ended."""
    found = night()
    for number in range(150):
        found.service.create(f"other{number}", 0.0, takes=900)
    for number in range(20):
        found.following.add(f"nowhere{number}", PLACE, 0.0)
    found.go(60.0)
    assert len(found.ended) == 20
    assert {action.run_id for action in found.requests if isinstance(action, ReadRun)} == set(found.ended)
    assert {action.status for action in lists(found)} == {None, *LIVING}


def test_dropped_runs_are_forgotten():
    found = night()
    found.start("a", takes=5)
    found.start("b", takes=5)
    found.following.drop("a")
    found.following.drop("a")
    found.go()
    assert list(found.ended) == ["b"]


def test_a_run_may_be_dropped_while_it_is_read():
    following = Following(0.0)
    following.add("a", SearchScope(workflow_id="w"), 0.0)
    assert following.next(0.0) == Sleep(0.25)
    assert isinstance(following.next(0.25), ListRows)
    following.drop("a")
    assert following.feed(Success([WorkflowRunRow(id="a", status="success")]), 0.3, 0.0) == []
    following.add("b", SearchScope(workflow_id="w"), 1.0)
    assert isinstance(following.next(11.0), ReadRun | ListRows)
    while not isinstance(following.next(20.0), ReadRun):
        following.feed(Success([]), 20.0, 0.0)
    following.drop("b")
    assert following.feed(Success(WorkflowRunModel(id="b", status="success")), 20.0, 0.0) == []


def test_a_look_ends_with_its_last_run():
    following = Following(0.0)
    for number in range(150):
        following.add(f"r{number}", SearchScope(workflow_id="w"), 0.0)
    following.next(0.25)
    rows = [WorkflowRunRow(id=f"r{number}", status="running") for number in range(PAGE)]
    following.feed(Success(rows), 0.3, 0.0)
    assert isinstance(following.next(0.3), ListRows)
    following.feed(Success([]), 0.3, 0.0)
    for number in range(150):
        following.drop(f"r{number}")
    assert following.next(0.4) is None
    following.add("b", SearchScope(workflow_id="w"), 1.0)
    assert isinstance(following.next(1.0), Sleep)


def test_an_answer_to_nothing_is_ignored():
    assert Following(0.0).feed(Success([]), 0.0, 0.0) == []


def test_adding_twice_changes_nothing():
    following = Following(0.0)
    following.add("a", PLACE, 0.0)
    before = following.next(0.1)
    following.add("a", SearchScope(workflow_id="w"), 0.1)
    assert following.next(0.1) == before == Sleep(pytest.approx(0.15))


def test_many_places_share_the_requests():
    found = night()
    for number in range(40):
        found.service.create(f"r{number}", 0.0, takes=60, deployment=f"d{number}")
        found.following.add(f"r{number}", SearchScope(deployment_id=f"d{number}"), 0.0)
    found.go()
    assert len(found.ended) == 40
    assert len(found.requests) <= BURST + found.now * A_SECOND + 40
    assert max(map(found.lateness, found.ended)) < 25


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), runs=st.integers(1, 150), faults=st.sampled_from([0.0, 0.05, 0.3]))
def test_every_end_is_reported_once_and_in_time(seed, runs, faults):
    dice = Random(seed)
    errors = [BUSY, SDKError("broken", 500), ConnectionError("lost", "unknown"), SDKError("slow", 429)]
    found = night(
        dice=dice.random,
        latency=dice.choice([0.005, 0.1, 1.0]),
        lateness=dice.choice([0.0, 0.5, 20.0]),
        fails=lambda _: dice.choice(errors) if dice.random() < faults else None,
    )
    longest = dice.choice([1, 30, 400])
    for number in range(runs):
        waits, takes = dice.choice([0, 1]) * dice.random() * longest, dice.random() ** 3 * longest
        final = dice.choice(["success", "success", "failed", "timeout", "cancelled"])
        found.plan(dice.random() * longest, f"r{number}", waits=waits, takes=takes, final=final)
    found.go(20_000.0)
    assert len(found.ended) == runs
    assert len(found.requests) <= BURST + A_SECOND * max(found.ended.values()) + runs + found.false
    if not faults:
        assert max(map(found.lateness, found.ended)) < 60 + runs * found.service.latency


def test_a_refused_list_is_no_end():
    following = Following(0.0)
    following.add("a", SearchScope(workflow_id="w"), 0.0)
    following.next(0.25)
    assert following.feed(Failure(SDKError("no", 401)), 0.3, 0.0) == []
    assert isinstance(following.next(0.3), Sleep | ReadRun)
