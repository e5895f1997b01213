"""The protocol of one job, action by action."""

from math import inf
from pathlib import Path

import pytest
from attrs import evolve

from comfydeploy._mapping.actions import Fetch, Follow, Leave, Look, Pause, Post, Prepare, Sighting, Terms, Turn
from comfydeploy._mapping.protocol import begin, is_free, reopening
from comfydeploy._mapping.rows import Again, End, Finish, Record, Release, Reopen, Row, Try, Unsend, changed
from comfydeploy.errors import ConnectionError, HTTPValidationError, InvalidRequestError, RequestTimeoutError, SDKError
from comfydeploy.mapping import JobUnresolved
from comfydeploy.models import WorkflowRunModel
from comfydeploy.outcome import DeadlineExceeded, RunCancelled, RunFailed, RunTimedOut
from comfydeploy.result import Failure, Success

RUN = WorkflowRunModel(id="r", status="success")
LOST = Failure(ConnectionError("reset", "unknown"))
REFUSED = Failure(ConnectionError("refused", "not_sent"))
BUSY = Failure(SDKError("busy", 503))
FAILED = Failure(RunFailed("failed", RUN, "r"))
GONE = Failure(SDKError("gone", 404))
NOTHING = Success(Sighting((), shown=False))
OTHERS = Success(Sighting((), shown=True))


class Job:
    """A job whose actions the test answers, at times of the test."""

    def __init__(self, terms=None, deadline=inf, at=0.0, **row):
        state = {"state": "trying", "owner": "me"} | row
        self.now = at
        self.position = begin(Row(1, "k", **state), terms or Terms(), self.now, deadline)

    @property
    def action(self):
        return self.position.action

    def answer(self, answer, *, at=None):
        self.now = self.now if at is None else at
        before = self.position
        self.position = before.next(answer, self.now, 0.0, 1000.0, "since")
        if isinstance(before.action, Try | Unsend | Record | Again | End) and answer in (True, "tried"):
            in_journal = changed(before.row, before.action)
            assert evolve(self.position.row, run=None) == evolve(in_journal, run=None)
        return self.action

    def posting(self):
        for answer in (Success(None), True, "tried"):
            self.answer(answer)
        assert isinstance(self.action, Post)
        return self

    def left(self):
        """Return the result, once the row is released."""
        assert isinstance(self.action, Release)
        left = self.answer(True)
        assert isinstance(left, Leave)
        return left.result


def test_the_way_of_a_job():
    job = Job()
    assert job.action == Prepare()
    assert job.answer(Success(None)) == Turn()
    assert job.answer(True) == Try(1, "me", 1000.0, 1060.0, "since", None)
    assert job.answer("tried") == Post(300.0)
    assert job.answer(Success("r")) == Record(1, "me", "r")
    assert job.answer(True) == Follow("r")
    assert job.answer(Success(RUN)) == Finish(1, "me", RUN, None, None)
    assert job.answer(True) == Leave(Success(RUN))
    assert job.answer(None) == Leave(Success(RUN))


def test_files_are_saved_before_the_end():
    job = Job(Terms(saves=True), state="created", run_id="r")
    assert job.answer(Success(RUN)) == End(1, "me", RUN)
    assert job.answer(True) == Fetch(RUN)
    pause = job.answer(GONE)
    assert isinstance(pause, Pause)
    assert job.answer(None) == Fetch(RUN)
    assert job.answer(Success([Path("a.png")])) == Finish(1, "me", RUN, None, ("a.png",))
    assert job.position.saved == (Path("a.png"),)


def test_files_that_cannot_be_saved_are_left():
    job = Job(Terms(saves=True), state="ended", run_id="r")
    job.answer(Success(RUN))
    job.answer(True)
    for _ in range(2):
        job.answer(GONE)
        job.answer(None)
    job.answer(GONE)
    assert job.left() is GONE


@pytest.mark.parametrize("answer", [None, False])
@pytest.mark.parametrize("state", ["created", "trying"])
def test_a_row_of_another_owner_is_left_alone(answer, state):
    job = Job(state=state, run_id="r")
    if state == "created":
        job.answer(Success(RUN))
    else:
        job.posting()
        job.answer(Success("r"))
    assert job.answer(answer) == Leave(None, is_lost=True)


def test_lost_or_spent_try_sends_nothing():
    for answer, lost in (("lost", True), ("spent", False)):
        job = Job()
        job.answer(Success(None))
        job.answer(True)
        action = job.answer(answer)
        assert (action if lost else job.answer(True)) == Leave(None, is_lost=lost)


def test_what_cannot_be_prepared_is_left():
    job = Job()
    job.answer(GONE)
    assert job.left() is GONE


def test_without_a_turn_nothing_is_sent():
    job = Job()
    job.answer(Success(None))
    job.answer(False)
    assert job.left() is None


def test_after_the_deadline_nothing_is_sent():
    job = Job(deadline=5.0)
    job.answer(Success(None))
    job.answer(True, at=5.0)
    error = job.left().failure()
    assert isinstance(error, RequestTimeoutError)
    assert (error.fate, "5 s" in error.message) == ("not_sent", True)


def test_a_request_ends_at_the_deadline():
    assert Job(deadline=5.0).posting().action == Post(5.0)


def test_times_count_from_the_claim():
    job = Job(Terms(post_limit=20.0), deadline=105.0, at=100.0)
    job.answer(Success(None))
    job.answer(True, at=104.0)
    assert job.answer("tried") == Post(105.0)
    job = Job(Terms(post_limit=20.0), deadline=105.0, at=100.0)
    job.answer(Success(None))
    job.answer(True, at=105.0)
    assert "The deadline of 5 s" in job.left().failure().message
    assert Job(Terms(post_limit=20.0), at=100.0).posting().action == Post(120.0)


def test_a_recorded_run_is_as_one_taken_over():
    job = Job(tried_at=1.0)
    job.answer(Success(Sighting(("r",), shown=True)))
    job.answer(True)
    assert job.position == begin(job.position.row, Terms(), 0.0)
    job = Job().posting()
    job.answer(LOST)
    job.answer(None)
    job.answer(Success(Sighting(("r",), shown=True)))
    job.answer(True)
    assert job.position == begin(job.position.row, Terms(), 0.0)


def test_a_created_row_without_run_is_looked_for():
    assert Job(state="created", tried_at=1.0).action == Look(0.0)
    assert Job(state="ended").action == Prepare()


def test_saving_pauses_and_ends_at_the_deadline():
    job = Job(Terms(saves=True), deadline=10.0, state="created", run_id="r")
    job.answer(Success(RUN))
    job.answer(True)
    assert job.answer(GONE, at=1.0) == Pause(0.25, Fetch(RUN))
    job.answer(None)
    assert job.answer(GONE, at=9.5) == Pause(0.375, Fetch(RUN))
    for late, action in ((9.75, Release), (9.74, Pause)):
        job = Job(Terms(saves=True), deadline=10.0, state="ended", run_id="r")
        job.answer(Success(RUN))
        job.answer(True)
        assert isinstance(job.answer(GONE, at=late), action)


def test_saved_files_are_part_of_the_end():
    job = Job(Terms(saves=True), state="ended", run_id="r")
    for answer in (Success(RUN), True, Success([Path("a.png")])):
        job.answer(answer)
    assert job.answer(True) == Leave(Success(RUN))
    job = Job(state="created", run_id="r", files=("a.png",))
    assert job.answer(Success(RUN)) == Finish(1, "me", RUN, None, ("a.png",))


class TestUnsent:
    def test_is_sent_again_for_a_while(self):
        job = Job().posting()
        assert job.answer(REFUSED) == Unsend(1, "me")
        assert job.answer(True) == Pause(0.25, Turn())
        assert job.answer(None) == Turn()
        assert job.position.row.tried_at is None
        job.answer(True)
        job.answer("tried")
        job.answer(REFUSED, at=300.0)
        job.answer(True)
        assert job.left().failure() is REFUSED.failure()

    @pytest.mark.parametrize("error", [ConnectionError("refused", "not_sent"), RequestTimeoutError("late", "not_sent")])
    @pytest.mark.parametrize("deadline", [inf, 400.0])
    def test_is_sent_again_for_the_post_limit(self, error, deadline):
        """It counts from the time at which the request could be sent; the deadline ends it too."""
        for late, ends in ((399.74, False), (399.75, True)):
            job = Job(Terms(post_limit=300.0 if deadline == inf else 900.0), deadline)
            job.answer(Success(None), at=100.0)
            job.answer(True)
            job.answer("tried")
            assert job.answer(Failure(error), at=late) == Unsend(1, "me")
            assert isinstance(job.answer(True), Release) is ends

    def test_pauses_grow(self):
        job, pauses = Job(Terms(post_limit=1e6)), []
        job.answer(Success(None))
        for _ in range(15):
            for answer in (True, "tried", REFUSED, True):
                job.answer(answer)
            pauses.append(job.action.seconds)
            job.answer(None)
        assert pauses[:3] == [0.25, 0.375, 0.5625]
        assert pauses[-1] == 15.0
        assert job.position == evolve(begin(job.position.row, job.position.terms, 0.0), action=Turn(), pause=15.0)
        for answer in (True, "tried", LOST):
            job.answer(answer)
        assert job.action.seconds == 0.25  # a search begins anew
        job.answer(None)
        assert job.answer(OTHERS).seconds == 0.25

    @pytest.mark.parametrize("error", [InvalidRequestError("bad"), HTTPValidationError([]), SDKError("no credit", 403)])
    def test_a_refusal_is_final(self, error):
        job = Job().posting()
        assert job.answer(Failure(error)) == Unsend(1, "me")
        job.answer(True)
        assert job.left().failure() is error
        assert job.position.row.tried_at is None

    def test_never_after_a_doubt(self):
        job = Job(tried_at=1.0)
        job.answer(OTHERS, at=0.0)
        job.answer(None, at=360.0)
        job.answer(OTHERS)
        job.posting()
        assert job.position.row.since is None  # of the first request
        job.answer(REFUSED)
        assert job.left().failure() is REFUSED.failure()
        assert job.position.row.tried_at is not None

    def test_never_after_a_doubt_of_its_own(self):
        job = Job().posting()
        job.answer(LOST)
        job.answer(None, at=360.0)
        assert job.answer(OTHERS) == Prepare()
        job.posting()
        assert isinstance(job.answer(REFUSED), Release)


class TestDoubt:
    @pytest.mark.parametrize(
        "answer", [LOST, BUSY, *(Failure(SDKError("in doubt", code)) for code in (303, 408, 429, 499, 500))]
    )
    def test_a_lost_answer_is_looked_for(self, answer):
        job = Job().posting()
        assert job.answer(answer) == Pause(0.25, Look(0.0))
        assert job.answer(None, at=0.25) == Look(0.25)
        assert job.answer(Success(Sighting(("a", "b"), shown=True))) == Record(1, "me", "a")

    def test_absence_counts_after_grace_only(self):
        job = Job().posting()
        job.answer(LOST, at=1.0)
        job.answer(None, at=359.0)
        assert job.answer(OTHERS, at=361.0) == Pause(0.0, Look(361.0))  # the search began too early
        job.answer(None, at=361.0)
        assert job.answer(OTHERS) == Prepare()
        assert job.posting().position.row.tried_at is not None

    @pytest.mark.parametrize(
        ("terms", "lost_at", "certain_at"),
        [(Terms(), 1.0, 360.0), (Terms(), 500.0, 560.0), (Terms(post_limit=10.0, longest_post=600.0), 1.0, 660.0)],
    )  # a client of the caller's may take longer than the limit
    def test_absence_is_certain_after_the_grace(self, terms, lost_at, certain_at):
        job = Job(terms).posting()
        job.answer(LOST, at=lost_at)
        job.answer(None, at=certain_at - 0.125)
        assert job.answer(OTHERS) == Pause(0.125, Look(certain_at - 0.125))
        job.answer(None, at=certain_at)
        assert job.answer(OTHERS) == Prepare()

    def test_a_late_search_that_fails_is_repeated(self):
        job = Job(tried_at=1.0)
        job.answer(OTHERS)
        job.answer(None, at=360.0)
        assert job.answer(BUSY, at=360.5) == Pause(0.375, Look(360.5))
        job.answer(None, at=361.0)
        assert job.answer(Failure(SDKError("slow", 429, headers={"retry-after": "7"}))).seconds == 7.0

    def test_absence_counts_in_own_list_only(self):
        job = Job(tried_at=1.0)
        assert job.action == Look(0.0)
        job.answer(NOTHING)
        job.answer(None, at=400.0)
        job.answer(NOTHING)
        error = job.left().failure()
        assert isinstance(error, JobUnresolved)
        assert "no run of this map" in error.hint

    def test_never_sends_again(self):
        job = Job(Terms(resend="never"), tried_at=1.0)
        job.answer(OTHERS)
        job.answer(None, at=360.0)
        job.answer(OTHERS)
        error = job.left().failure()
        assert isinstance(error, JobUnresolved)
        assert error.hint.startswith("Start the map with the same journal again")
        assert job.position.row.tried_at == 1.0

    def test_longest_request_of_all_counts(self):
        job = Job(Terms(post_limit=10.0, longest_post=600.0), tried_at=1.0)
        assert job.position.certain_at == 660.0

    def test_looks_that_fail_are_repeated_for_a_while(self):
        job = Job(tried_at=1.0)
        assert isinstance(job.answer(BUSY), Pause)
        job.answer(None, at=400.0)
        assert isinstance(job.answer(BUSY), Pause)
        job.answer(None, at=420.0)
        job.answer(Failure(SDKError("busy.", 503)))
        error = job.left().failure()
        assert error.hint.startswith("The last search failed: busy. Start the map with the same journal again")
        assert (error.key, error.fate) == ("k", "unknown")

    def test_refused_look_ends_for_now(self):
        job = Job(tried_at=1.0)
        job.answer(GONE)
        assert isinstance(job.left().failure(), JobUnresolved)

    def test_the_deadline_ends_the_doubt_for_now(self):
        job = Job(deadline=1.0, tried_at=1.0)
        assert job.answer(OTHERS, at=0.9).seconds == pytest.approx(0.1)
        job.answer(None, at=1.0)
        job.answer(OTHERS)
        assert isinstance(job.left().failure(), JobUnresolved)

    def test_pauses_grow(self):
        job, pauses = Job(tried_at=1.0), []
        for _ in range(15):
            pauses.append(job.answer(OTHERS).seconds)
            job.answer(None)
        assert pauses[:3] == [0.25, 0.375, 0.5625]
        assert pauses[-1] == 15.0

    def test_saving_begins_with_the_first_pause(self):
        job = Job(Terms(saves=True), tried_at=1.0)
        for answer in (OTHERS, None, OTHERS, None, Success(Sighting(("r",), shown=True)), True, Success(RUN), True):
            job.answer(answer)
        assert job.answer(GONE) == Pause(0.25, Fetch(RUN))


class TestEnds:
    def test_a_failed_run_is_repeated(self):
        job = Job(Terms(attempts=2), state="created", run_id="r")
        assert job.answer(FAILED) == Again(1, "me")
        assert job.answer(True) == Prepare()
        assert job.position.row == Row(1, "k", "trying", 2, "me")
        job.posting()
        job.answer(Success("s"))
        job.answer(True)
        assert job.answer(FAILED) == Finish(1, "me", RUN, FAILED.failure(), None)
        assert job.answer(True).result.failure() is FAILED.failure()

    def test_without_another_run_its_failure_counts(self):
        job = Job(Terms(attempts=2), state="created", run_id="r", tried_at=1.0)
        for answer in (FAILED, True, Success(None), True, "spent"):
            job.answer(answer)
        assert job.left().failure() is FAILED.failure()
        assert (job.position.row.run_id, job.position.row.attempt) == ("r", 1)

    @pytest.mark.parametrize("error", [RunCancelled("cancelled", RUN, "r"), RunTimedOut("late", RUN, "r")])
    def test_a_run_without_failure_is_not(self, error):
        job = Job(Terms(attempts=2), state="created", run_id="r")
        assert job.answer(Failure(error)) == Finish(1, "me", RUN, error, None)
        assert job.answer(True).result.failure() is error

    def test_a_run_that_had_succeeded_is_not_repeated(self):
        job = Job(Terms(attempts=2), state="ended", run_id="r")
        assert job.answer(FAILED) == Finish(1, "me", RUN, FAILED.failure(), None)

    @pytest.mark.parametrize("error", [SDKError("who", 401), DeadlineExceeded("late", "r", None, "no")])
    def test_a_run_that_goes_on_is_left(self, error):
        job = Job(state="created", run_id="r")
        job.answer(Failure(error))
        assert job.left().failure() is error


def test_which_rows_are_free():
    row = Row(1, "k", "trying", owner="x", lease=50.0)
    assert is_free(Row(1, "k"), is_alive=None, wall=0.0)
    assert not is_free(Row(1, "k", "done"), is_alive=False, wall=99.0)
    assert not is_free(evolve(row, state="done"), is_alive=False, wall=99.0)
    assert is_free(row, is_alive=False, wall=0.0)
    assert not is_free(row, is_alive=True, wall=99.0)  # a clock that jumps ends no claim
    assert [is_free(row, is_alive=None, wall=wall) for wall in (49.0, 50.0, 51.0)] == [False, False, True]


@pytest.mark.parametrize(
    ("row", "error", "terms", "expected"),
    [
        ({}, None, Terms(), None),
        ({}, None, Terms(saves=True), Reopen(1, "me", 9.0, "ended", 1)),
        ({"files": ("a.png",)}, None, Terms(saves=True), None),
        ({}, FAILED.failure(), Terms(), None),
        ({}, FAILED.failure(), Terms(attempts=2), Reopen(1, "me", 9.0, "trying", 2)),
        ({"attempt": 2}, FAILED.failure(), Terms(attempts=2), None),
        ({}, RunCancelled("c", RUN, "r"), Terms(attempts=2), None),
    ],
)
def test_which_rows_are_opened_again(row, error, terms, expected):
    assert reopening(Row(1, "k", "done", run_id="r", **row), error, terms, "me", 9.0) == expected
