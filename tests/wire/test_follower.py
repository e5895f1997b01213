"""The follower of a run, against a simulated server: its requests, their times, and its result."""

from datetime import UTC, datetime
from math import inf

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.follower import Follower
from comfydeploy._wire.polling import FIRST
from comfydeploy._wire.steps import Cancel, Done, Emit, Poll, ReadLogs, ReadNewerRows, ReadRows, Sleep
from comfydeploy.errors import (
    ConnectionError,
    HTTPValidationError,
    RequestAbortedError,
    RequestTimeoutError,
    SDKError,
    UnexpectedClientError,
)
from comfydeploy.models import (
    CancelRunResponse,
    MediaItem,
    RunLog,
    WorkflowRunModel,
    WorkflowRunOutputModel,
    WorkflowRunRow,
)
from comfydeploy.outcome import DeadlineExceeded, PollFailed, RunCancelled, RunFailed, RunTimedOut
from comfydeploy.result import Failure, Success

LIFE = ("not-started", "queued", "started", "running", "uploading")
LOST = ConnectionError("lost", "unknown")
HANG = "hang"
NOTHING = Success([])


def run(status, **fields):
    return WorkflowRunModel(id="r", status=status, **fields)


class World:
    """A run whose state is a function of time, and a driver that carries out a follower's steps without waiting."""

    def __init__(self, state, latency=0.0, dice=0.0, *, rows=NOTHING, logs=NOTHING, cancel=None, late=0.0):
        self.state, self.latency, self.dice = state, latency, dice
        self.answers = {ReadRows: rows, ReadNewerRows: rows, ReadLogs: logs}
        self.cancel = cancel
        self.late = late  # how much longer than requested the machine sleeps
        self.now = 0.0
        self.sent, self.items, self.cancelled_at = [], [], None

    def follow(self, stop_at=inf, **kwargs):
        follower = Follower("r", now=self.now, **kwargs)
        while not isinstance(follower.step, Done):
            answer = self.carry_out(follower.step)
            if self.now >= stop_at:
                stop_at = inf
                follower.abandon(self.now)
            else:
                follower.feed(answer, self.now, self.dice)
        assert follower.run is None or follower.run.id == "r"
        return follower.step.result

    def carry_out(self, step):
        if isinstance(step, Emit):
            self.items.append(step.item)
            return None
        assert step.seconds > 0
        if isinstance(step, Sleep):
            self.now += step.seconds + self.late
            return None
        self.sent.append((self.now, step))
        answer = self.answer(step)
        if answer == HANG or self.latency > step.seconds:
            self.now += step.seconds
            return Failure(RequestTimeoutError("late", "unknown"))
        self.now += self.latency
        return Failure(answer) if isinstance(answer, Exception) else answer

    def answer(self, step):
        if isinstance(step, Poll):
            state = self.state(self.now)
            return Success(state) if isinstance(state, WorkflowRunModel) else state
        if isinstance(step, Cancel):
            self.cancelled_at = self.now
            return self.cancel or Success(CancelRunResponse(status="success", message="Function cancelled"))
        return self.answers[type(step)]

    @property
    def polls(self):
        return [(now, step) for now, step in self.sent if isinstance(step, Poll)]

    @property
    def kinds(self):
        return [type(step).__name__ for _, step in self.sent]


def living(seconds, changes=(0.1, 0.3, 0.5), end="success"):
    """Change the status at the times of ``changes`` and end."""
    return lambda now: run(end if now >= seconds else LIFE[sum(now >= change for change in changes)])


def always(status, **fields):
    return lambda _: run(status, **fields)


def script(*states):
    """Answer in order, and repeat the last answer."""
    left = list(states)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


class TestSchedule:
    @pytest.mark.parametrize(("seconds", "most"), [(1, 6), (10, 16), (100, 85)])
    @given(data=st.data())
    def test_requests_for_run(self, seconds, most, data):
        changes = data.draw(st.lists(st.floats(0, seconds), max_size=4))
        world = World(living(seconds, changes), data.draw(st.floats(0, 0.2)), data.draw(st.floats(0, 1)))
        assert isinstance(world.follow(delay=FIRST), Success)
        assert 1 + len(world.sent) <= most
        assert world.now - seconds <= 1.65 + 2 * world.latency

    def test_first_polls(self):
        world = World(living(5, ()))
        world.follow(delay=FIRST)
        assert [now for now, _ in world.polls][:5] == pytest.approx([0.25, 0.625, 1.1875, 2.03125, 3.296875])

    def test_without_post_first_poll_is_at_once(self):
        world = World(living(0))
        world.follow()
        assert [now for now, _ in world.polls] == [0.0]

    def test_ten_quiet_minutes_then_change(self):
        world = World(lambda now: run("success" if now > 1300 else "running" if now > 1200 else "queued"))
        world.follow()
        gaps = {round(now): later - now for (now, _), (later, _) in zip(world.polls, world.polls[1:], strict=False)}
        assert {gap for now, gap in gaps.items() if 610 < now < 1190} == {5.0}
        assert max(gap for now, gap in gaps.items() if now > 1206) == 1.5

    def test_progress_makes_nothing_faster(self):
        def gaps(state):
            world = World(state)
            world.follow()
            return [now for now, _ in world.polls]

        moving = gaps(lambda now: run("success") if now > 700 else run("running", progress=now / 700))
        assert moving == gaps(lambda now: run("success") if now > 700 else run("running"))

    def test_jitter(self):
        world = World(living(100), dice=1.0)
        world.follow()
        assert world.polls[-1][0] - world.polls[-2][0] == pytest.approx(1.65)

    @pytest.mark.parametrize(("seconds", "pause"), [("9", 9.0), ("0", 0.375), ("99999", 600.0)])
    def test_retry_after_wins(self, seconds, pause):
        busy = SDKError("busy", 503, headers={"retry-after": seconds})
        world = World(script(busy, run("success")))
        world.follow()
        assert [now for now, _ in world.polls] == pytest.approx([0.0, pause])

    def test_queue_position_while_waiting_only(self):
        world = World(script(run("not-started"), LOST, run("queued"), run("started"), run("running"), run("success")))
        world.follow()
        assert [step.queue_position for _, step in world.polls] == [True, True, True, True, False, False]

    def test_poll_that_hangs_is_given_up_after_30_s(self):
        world = World(script(HANG, run("success")))
        assert isinstance(world.follow(), Success)
        assert world.polls[1][0] == pytest.approx(30.375)


class TestItems:
    def test_each_change_once(self):
        output = WorkflowRunOutputModel(id="o", run_id="r", data={"images": []})
        file = MediaItem(url="https://f?Signature=1", type="output", filename="f.png")
        states = [
            run("queued", queue_position=2),
            run("queued", queue_position=1),
            run("queued", queue_position=1),
            run("running"),
            run("running", progress=0.5),
            run("running", progress=0.5, live_status="Executing K"),
            run("running", progress=0.5, live_status="Executing K", outputs=[output]),
            run("running", progress=0.5, live_status="Executing K",
                outputs=[attrs.evolve(output, data={"images": [file]})]),
            run("running", progress=0.5, live_status="Executing K",
                outputs=[attrs.evolve(output, data={"images": [attrs.evolve(file, url="https://f?Signature=2")]})]),
            run("success"),
        ]  # fmt: skip
        world = World(script(*states))
        assert world.follow().unwrap() is states[-1]
        shown = [state for place, state in enumerate(states) if place not in (2, 8, 9)]
        assert [item.unwrap() for item in world.items] == shown

    def test_changed_status_is_change(self):
        world = World(script(run("queued"), run("started"), run("success")))
        world.follow()
        assert [item.unwrap().status for item in world.items] == ["queued", "started"]

    @pytest.mark.parametrize("change", [{"id": "p"}, {"updated_at": datetime(2026, 11, 25, tzinfo=UTC)}])
    def test_changed_output_is_change(self, change):
        output = WorkflowRunOutputModel(id="o", run_id="r", data={})
        states = [run("running", outputs=[found]) for found in (output, attrs.evolve(output, **change))]
        world = World(script(*states, run("success")))
        world.follow()
        assert [item.unwrap() for item in world.items] == states

    @pytest.mark.parametrize(
        "error", [LOST, RequestTimeoutError("late", "unknown"), SDKError("x", 429), SDKError("x", 502)]
    )
    def test_failed_poll_is_retried(self, error):
        world = World(script(run("running"), error, error, run("running"), run("success")))
        assert isinstance(world.follow(), Success)
        _, first, second = world.items
        assert isinstance(first.failure(), PollFailed)
        assert (first.failure().error, first.failure().run_id, second.failure().error) == (error, "r", error)
        assert str(first.failure()).startswith(f"A poll failed and is tried again: {error.message}")

    @pytest.mark.parametrize(
        "error",
        [
            *[SDKError("x", status) for status in (401, 403, 404)],
            HTTPValidationError([]),
            UnexpectedClientError("x", "not_sent"),
        ],
    )
    def test_some_errors_end_at_once(self, error):
        world = World(script(run("running"), error))
        assert world.follow().failure() is error
        assert len(world.sent) == 2
        assert len(world.items) == 1


class TestEnd:
    def test_cancelled(self):
        world = World(living(2, end="cancelled"))
        assert isinstance(world.follow().failure(), RunCancelled)
        assert set(world.kinds) == {"Poll"}

    def test_failed_with_reason_of_its_row(self):
        raised = {"node_id": "5", "node_type": "K", "exception_type": "E", "exception_message": "m"}
        row = WorkflowRunRow(id="r", status="failed", raw={"outputs": [{"data": raised}]})
        world = World(always("failed", workflow_id="w"), rows=Success([row]))
        error = world.follow().failure()
        assert (error.message, error.source) == ("K (node 5): E: m", "row")
        assert world.kinds == ["Poll", "ReadRows"]
        assert world.items == []

    def test_failed_with_reason_in_its_log(self):
        world = World(always("failed"), logs=Success([RunLog(log="Upload failed for x: no")]))
        assert world.follow().failure().kind == "upload"
        assert world.kinds == ["Poll", "ReadLogs"]

    def test_timed_out_reads_its_row_only(self):
        row = WorkflowRunRow(id="r", status="timeout", raw={"outputs": [{"data": [{"id": "4", "time": 0.1}]}]})
        world = World(always("timeout", workflow_id="w"), rows=Success([row]))
        error = world.follow().failure()
        assert isinstance(error, RunTimedOut)
        assert (error.kind, error.source) == ("unmarked", "row")

    def test_search_ends_with_deadline(self):
        world = World(always("failed", workflow_id="w"), latency=0.1, rows=Failure(LOST))
        assert isinstance(world.follow(deadline=2.0).failure(), RunFailed)
        assert world.now <= 2.1

    def test_unknown_status_goes_on_until_it_has_end(self):
        ended = run("evicted", ended_at=datetime.now(UTC))
        world = World(script(run("thawing"), run("thawing"), ended))
        error = world.follow().failure()
        assert isinstance(error, RunFailed)
        assert "'evicted'" in error.message


class TestDeadline:
    def test_one_last_read_and_run_is_left(self):
        world = World(always("running"))
        error = world.follow(deadline=10.0).failure()
        assert isinstance(error, DeadlineExceeded)
        assert (error.run_id, error.run, error.cancelled, error.fate) == ("r", run("running"), "no", "answered")
        assert error.message == (
            "The deadline passed before run r ended. It was left alone: it goes on and is billed (last status: running)"
        )
        assert world.polls[-1] == (9.5, Poll(queue_position=False, seconds=0.5))
        assert set(world.kinds) == {"Poll"}

    def test_short_deadline_keeps_fifth_for_last_read(self):
        world = World(script(HANG))
        error = world.follow(deadline=0.5, delay=FIRST).failure()
        assert (error.run, error.cancelled) == (None, "no")
        assert error.message.endswith("and is billed (it was never read)")
        assert [now for now, _ in world.polls] == pytest.approx([0.25, 0.4])
        assert world.now == pytest.approx(0.5)

    def test_reserve_counts_from_beginning(self):
        world = World(script(HANG))
        world.now = 100.0
        world.follow(deadline=100.5, delay=FIRST)
        assert [now for now, _ in world.polls] == pytest.approx([100.25, 100.4])

    @pytest.mark.parametrize("deadline", [0.0, -5.0])
    def test_past_deadline_run_is_read_once(self, deadline):
        world = World(always("success"))
        assert isinstance(world.follow(deadline=deadline, delay=FIRST), Success)
        assert world.polls == [(0.0, Poll(queue_position=True, seconds=0.1))]

    def test_pause_that_ends_late_leaves_last_read(self):
        world = World(always("running"), late=0.3)
        assert isinstance(world.follow(deadline=1.0, delay=0.6).failure(), DeadlineExceeded)
        assert [now for now, _ in world.polls] == pytest.approx([0.9])

    @pytest.mark.parametrize(("delay", "late", "at"), [(1.0, 1.0, 2.0), (1.9, 0.0, 2.0), (1.75, 0.0, 1.75)])
    def test_last_read_has_its_time(self, delay, late, at):
        world = World(always("running"), late=late)
        world.follow(deadline=2.5, delay=delay)
        assert world.polls[0] == (at, Poll(queue_position=True, seconds=0.5 if at == 2.0 else 0.25))

    @pytest.mark.parametrize(("state", "hint"), [("running", True), ("cancelled", False)])
    def test_hint_is_for_run_that_may_go_on(self, state, hint):
        world = World(lambda _: run(state if world.cancelled_at is not None else "running"))
        error = world.follow(deadline=3.0, on_abandon="cancel").failure()
        assert error.hint == ("Wait on with run_wait, or cancel the run with run_cancel." if hint else None)

    @pytest.mark.parametrize(
        ("end", "kind"), [("failed", RunFailed), ("timeout", RunTimedOut), ("cancelled", RunCancelled)]
    )
    def test_last_read_may_find_end(self, end, kind):
        world = World(lambda now: run(end if now >= 9.5 else "running"))
        assert isinstance(world.follow(deadline=10.0).failure(), kind)
        assert set(world.kinds) == {"Poll"}

    def test_last_read_may_be_refused(self):
        assert World(script(SDKError("x", 404))).follow(deadline=0.0).failure().status_code == 404

    @pytest.mark.parametrize(
        ("last", "cancelled"), [(run("cancelled"), "yes"), (run("running"), "unknown"), (LOST, "unknown")]
    )
    def test_run_is_cancelled(self, last, cancelled):
        world = World(lambda now: last if world.cancelled_at is not None else run("running"), latency=0.1)
        error = world.follow(deadline=3.0, on_abandon="cancel").failure()
        assert isinstance(error, DeadlineExceeded)
        assert (error.cancelled, error.hint is None) == (cancelled, cancelled == "yes")
        assert ("It was cancelled" if cancelled == "yes" else "It was to be cancelled, which is") in error.message
        assert error.run == (run("running") if last is LOST else last)
        assert [type(step).__name__ for _, step in world.sent[-2:]] == ["Cancel", "Poll"]
        assert world.kinds.count("Cancel") == 1
        assert world.cancelled_at >= 3.0

    def test_run_that_has_succeeded_is_success(self):
        world = World(lambda _: run("success" if world.cancelled_at is not None else "running"))
        assert isinstance(world.follow(deadline=3.0, on_abandon="cancel"), Success)

    def test_run_that_failed_meanwhile_has_failed(self):
        world = World(lambda _: run("failed" if world.cancelled_at is not None else "running"))
        assert isinstance(world.follow(deadline=3.0, on_abandon="cancel").failure(), RunFailed)

    def test_cancelling_takes_5_s_at_most(self):
        world = World(lambda _: HANG if world.cancelled_at is not None else run("running"), cancel=HANG)
        assert world.follow(deadline=3.0, on_abandon="cancel").failure().cancelled == "unknown"
        assert world.now == pytest.approx(8.0)


class TestAbandoning:
    @pytest.mark.parametrize("stop_at", [0.0, 0.1, 2.0])
    def test_leaving_sends_nothing(self, stop_at):
        world = World(always("running"))
        error = world.follow(stop_at=stop_at, delay=FIRST).failure()
        assert isinstance(error, RequestAbortedError)
        assert error.fate == "answered"
        left = "It was left alone: it goes on and is billed"
        assert error.message == f"The wait for run r was abandoned. {left}"
        assert all(now <= stop_at for now, _ in world.sent)

    @pytest.mark.parametrize(
        ("last", "kind"),
        [("cancelled", RunCancelled), ("failed", RunFailed), ("running", RequestAbortedError)],
    )
    def test_cancelling_reads_once(self, last, kind):
        world = World(lambda _: run(last if world.cancelled_at is not None else "running"))
        assert isinstance(world.follow(stop_at=2.0, on_abandon="cancel").failure(), kind)
        assert world.kinds[-2:] == ["Cancel", "Poll"]
        assert world.cancelled_at < 4.0

    def test_cancelling_in_vain_says_so(self):
        message = World(always("running")).follow(stop_at=2.0, on_abandon="cancel").failure().message
        unsure = "It was to be cancelled, which is not confirmed: it may go on and be billed"
        assert message == f"The wait for run r was abandoned. {unsure}"

    def test_cancelling_late_takes_5_s(self):
        world = World(lambda _: HANG if world.cancelled_at is not None else run("running"), cancel=HANG)
        world.follow(stop_at=2.0, on_abandon="cancel")
        (*_, (cancelled, _), (read, step)) = world.sent
        assert (read - cancelled, step.seconds) == (4.0, pytest.approx(1.0))

    def test_cancelling_begins_when_wait_is_abandoned(self):
        follower = Follower("r", now=0.0, on_abandon="cancel")
        follower.abandon(50.0)
        assert follower.step == Cancel(4.0)
        follower.feed(None, 51.0, 0.0)
        assert follower.step == Poll(queue_position=True, seconds=4.0)

    def test_cancelling_may_find_success(self):
        world = World(lambda _: run("success" if world.cancelled_at is not None else "running"))
        assert isinstance(world.follow(stop_at=2.0, on_abandon="cancel"), Success)

    def test_run_that_has_ended_is_not_cancelled(self):
        world = World(always("failed", workflow_id="w"), latency=0.1, rows=Failure(LOST))
        error = world.follow(stop_at=1.0, on_abandon="cancel").failure()
        assert isinstance(error, RunFailed)
        assert "Cancel" not in world.kinds

    def test_after_end_nothing_changes(self):
        follower = Follower("r", now=0.0)
        follower.feed(Success(run("success")), 0.1, 0.5)
        done = follower.step
        follower.abandon(0.2)
        follower.feed(None, 0.3, 0.5)
        assert follower.step is done


def test_failure_before_wait_is_its_result():
    follower = Follower("r", now=0.0, failure=LOST)
    assert follower.result == Failure(LOST)
    assert isinstance(follower.step, Done)
    assert Follower("r", now=0.0).result is None


STATES = st.one_of(
    st.sampled_from([LOST, HANG, SDKError("x", 500), SDKError("x", 503, headers={"retry-after": "3"})]),
    st.builds(
        run,
        st.sampled_from(LIFE) | st.text(max_size=3),
        progress=st.none() | st.floats(),
        live_status=st.none() | st.text(max_size=9),
        queue_position=st.none() | st.integers(),
    ),
)


@given(
    st.lists(STATES, min_size=1, max_size=8),
    st.tuples(st.sampled_from([0.0, 0.05, 1.0, 5.0]), st.floats(0, 1)),
    st.floats(0, 60),
    st.sampled_from(["leave", "cancel"]),
    st.sampled_from([0.0, 0.01, 0.3]),
)
def test_every_wait_ends_in_time(states, latency_and_dice, deadline, on_abandon, late):
    world = World(script(*states), *latency_and_dice, late=late)
    result = world.follow(deadline=deadline, on_abandon=on_abandon, delay=FIRST)
    assert isinstance(result, Success | Failure)
    assert world.now <= deadline + late + (5.0 if on_abandon == "cancel" else 0.1) + 1e-6
    assert world.kinds[-1] == "Poll"
    assert world.kinds.count("Cancel") == (on_abandon == "cancel")
