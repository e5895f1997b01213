"""One of many runs, the searches in lists, and how many requests may be sent."""

from datetime import UTC, datetime, timedelta

import pytest

from comfydeploy._mapping.followed import Followed
from comfydeploy._mapping.listing import ENDED, LIVING, PAGE, Listing
from comfydeploy._mapping.requests import Allowance, FindWorkflow, ListRows, ReadRun
from comfydeploy._wire.run_search import SearchScope
from comfydeploy._wire.steps import Answer
from comfydeploy.errors import SDKError
from comfydeploy.models import WorkflowRunRow
from comfydeploy.result import Failure, Success

AT = datetime(2026, 11, 25, 3, 4, 5, tzinfo=UTC)
BUSY = Failure(SDKError("busy", 503))


class TestARun:
    def test_is_read_after_ten_seconds_unless_listed(self):
        run = Followed.new("r", 5.0)
        assert (run.id, run.added, run.look_at, run.status, run.created) == ("r", 5.0, 15.0, None, None)
        assert (run.was_listed, run.is_listed) == (False, False)
        run.listed(6.0, 0.5)
        assert (run.look_at, run.was_listed, run.is_listed) == (636.0, True, True)
        run.listed(7.0, 0.5)
        assert run.look_at == 636.0  # it is read every ten minutes nevertheless

    def test_is_read_now_where_it_is_no_longer_listed(self):
        run = Followed.new("r", 0.0)
        run.listed(1.0, 0.0)
        run.missed(20.0)
        assert (run.look_at, run.was_listed, run.is_listed) == (20.0, True, False)
        run.missed(21.0)
        assert run.look_at == 20.0
        run.read(21.0, 0.0)
        run.missed(21.5)
        assert run.look_at == 22.5

    def test_is_read_less_often_while_it_is_unlisted(self):
        run, pauses = Followed.new("r", 0.0), []
        for _ in range(5):
            run.read(100.0, 0.0)
            pauses.append(run.look_at - 100.0)
        assert pauses == [1.5, 2.25, 3.375, 5.0, 5.0]
        run.read(100.0, 1.0, 2.0)
        assert run.look_at == 105.5
        run.read(100.0, 1.0, 20.0)
        assert run.look_at == 120.0
        run.listed(100.0, 0.0)
        run.read(100.0, 0.0)
        assert run.look_at == 700.0
        run.missed(200.0)
        run.read(200.0, 0.0)
        assert run.look_at == 201.5


class TestRequests:
    def test_are_four_a_second_after_the_first_twenty(self):
        allowance = Allowance(0.0)
        for _ in range(20):
            assert allowance.wait(0.0) == 0.0
            allowance.take(0.0)
        assert allowance.wait(0.0) == 0.25
        assert allowance.wait(0.125) == 0.125
        assert allowance.wait(0.25) == 0.0
        allowance.take(0.25)
        assert allowance.wait(0.25) == 0.25
        assert allowance.wait(0.0) == 0.25  # a time that is out of order changes nothing

    @pytest.mark.parametrize("grows", [lambda one: one.grant(100), lambda one: one.wait(1e6)])
    def test_are_never_more_than_twenty_at_once(self, grows):
        allowance = Allowance(0.0)
        for _ in range(20):
            allowance.take(0.0)
        grows(allowance)
        for _ in range(20):
            assert allowance.wait(0.0) == 0.0
            allowance.take(0.0)
        assert allowance.wait(0.0) == 0.25

    def test_are_counted_at_their_time(self):
        allowance = Allowance(0.0)
        for _ in range(20):
            allowance.take(0.0)
        for _ in range(20):
            allowance.take(100.0)
        assert allowance.wait(100.0) == 0.25

    def test_are_more_for_runs_that_have_ended(self):
        allowance = Allowance(0.0)
        for _ in range(20):
            allowance.take(0.0)
        allowance.grant(2)
        for _ in range(2):
            assert allowance.wait(0.0) == 0.0
            allowance.take(0.0)
        assert allowance.wait(0.0) == 0.25

    def test_have_their_arguments(self):
        page = ListRows("w", "d", "queued", AT, 7, 3, 30.0)
        expected = {"workflow_id": "w", "limit": 7, "offset": 3, "rf": AT, "status": "queued", "deployment_id": "d"}
        assert page.arguments() == expected
        assert ReadRun("r", 30.0).arguments() == {"run_id": "r", "queue_position": None}


class Search:
    """A listing, whose pages a test answers."""

    def __init__(self, runs=1, place=None, added=0.0):
        self.listing = Listing(place or SearchScope(workflow_id="w"))
        self.runs = [Followed.new(f"r{number}", added) for number in range(runs)]
        for run in self.runs:
            self.listing.add(run, added)

    def look(self, now, *answers, dice=0.0):
        """Search once with these answers; return what was sent."""
        steps, sent, answers = self.listing.look(now), [], list(answers)
        request = next(steps)
        try:
            while True:
                sent.append(request)
                answer = answers.pop(0)
                request = steps.send(Answer(answer(request) if callable(answer) else answer, now, dice))
        except StopIteration:
            assert not answers
            return sent

    def pauses(self, now, count, *answers):
        """Return the pauses after some searches, each with these answers."""
        found = []
        for _ in range(count):
            self.look(now, *answers)
            found.append(self.listing.due - now)
        return found


def rows(*ids, status="running", at=AT):
    return Success([WorkflowRunRow(id=one, status=status, created_at=at) for one in ids])


def full(*ids, status="running"):
    """Return a page without room, in which these runs are."""
    return rows(*ids, *(f"other{number}" for number in range(PAGE - len(ids))), status=status)


def test_lists_are_those_of_the_server():
    assert LIVING == ("not-started", "queued", "started", "running", "uploading")
    assert ENDED == ("success", "failed", "timeout", "cancelled")
    assert PAGE == 100


def test_a_place_is_looked_up_once():
    place = SearchScope(deployment_id="d")
    search = Search(place=place)
    page = ListRows("w", "d", None, None, 12, 0, 30.0)
    assert search.look(1.0, BUSY) == [FindWorkflow(place)]
    assert search.look(1.0, Success("w"), rows()) == [FindWorkflow(place), page]
    assert search.look(1.0, rows()) == [page]


@pytest.mark.parametrize(("runs", "limit"), [(1, 12), (44, 98), (45, 100), (300, 100)])
def test_the_first_page_has_room_for_others(runs, limit):
    assert Search(runs).look(1.0, rows())[0].limit == limit


def test_a_page_begins_with_the_oldest_run():
    search = Search(3)
    search.look(1.0, Success([WorkflowRunRow(id="r0", status="running", created_at=AT + timedelta(seconds=1))]))
    assert search.look(1.0, rows("r1", at=AT))[0].since == AT + timedelta(seconds=1)
    assert search.look(1.0, rows())[0].since == AT
    search.look(1.0, rows("r1", at=None))
    assert search.runs[1].created == AT


def test_ended_runs_are_reported_once():
    search = Search(2)
    for _ in range(2):
        search.look(1.0, rows("r0", "unknown", status="failed"))
        assert search.listing.ended == ["r0"]
    search.look(2.0, rows("r1"))
    assert (search.runs[1].status, search.runs[1].is_listed, search.runs[0].status) == ("running", True, "failed")


@pytest.mark.parametrize(("began", "look_at"), [(1.0, 2.5), (0.99, 10.0)])
def test_a_new_run_may_be_missing_for_a_second(began, look_at):
    search = Search()
    search.look(began, rows())
    assert search.runs[0].look_at == pytest.approx(look_at)


class TestPauses:
    def test_grow_to_one_and_a_half_seconds(self):
        search = Search()
        assert search.listing.due == 0.25
        assert search.pauses(1.0, 6, rows("r0")) == pytest.approx([0.375, 0.5625, 0.84375, 1.265625, 1.5, 1.5])
        search.look(1.0, rows("r0"), dice=1.0)
        assert search.listing.due == pytest.approx(1.0 + 1.65)

    def test_are_five_seconds_after_ten_minutes(self):
        search = Search()
        search.look(1.0, rows("r0"))
        assert search.pauses(600.5, 8, rows("r0"))[-1] == 1.5
        assert search.pauses(601.0, 8, rows("r0"))[-1] == 5.0
        assert Search(added=1000.0).pauses(1001.0, 8, rows())[-1] == 1.5  # so long is it followed
        search.look(602.0, rows("r0", status="uploading"))  # a change
        assert search.pauses(602.0, 1, rows("r0"))[-1] == 1.5

    def test_are_halved_while_many_end(self):
        search = Search(13)
        search.pauses(1.0, 8, rows())
        found = []
        for count in (1, 3, 4, 0, 4, 1):  # a quarter of 13 is more than 3
            ended = [run.id for run in search.runs if run.status != "success"][:count]
            search.look(2.0, rows(*ended, status="success"))
            found.append(search.listing.due - 2.0)
        assert found == [1.5, 1.5, 0.75, 1.125, 0.5625, 0.5625]
        search = Search(1)
        for _ in range(8):
            search.look(2.0, rows("r0", status="success"))
            search.listing.ended.clear()
        assert search.listing.due == 2.05

    def test_are_halved_from_a_quarter_on(self):
        search = Search(4)
        search.look(2.0, rows("r0", status="success"))
        assert search.listing.due == 2.125

    def test_grow_with_each_failure(self):
        search = Search()
        assert search.pauses(1.0, 6, BUSY) == [3.0, 6.0, 12.0, 24.0, 48.0, 60.0]
        assert search.pauses(1.0, 1, rows()) == [0.375]
        assert search.pauses(1.0, 1, BUSY) == [3.0]

    def test_are_a_minute_where_lists_are_refused(self):
        search = Search()
        assert search.pauses(5.0, 1, Failure(SDKError("no", 401))) == [60.0]
        assert search.runs[0].look_at == 6.5

    def test_begin_anew_with_the_first_run(self):
        search = Search(0)
        assert search.listing.due == float("inf")
        search = Search()
        search.pauses(1.0, 8, rows("r0"))
        search.listing.add(Followed.new("s", 1.5), 1.5)
        assert search.listing.due == 2.5
        search.listing.runs.clear()
        search.listing.add(Followed.new("t", 100.0), 100.0)
        assert search.listing.due == 100.25

    def test_of_failures_are_kept_for_a_new_run(self):
        search = Search()
        search.look(1.0, BUSY)
        search.listing.runs.clear()
        search.listing.add(Followed.new("t", 2.0), 2.0)
        assert search.listing.due == 4.0


def test_runs_are_read_after_three_failures():
    search = Search()
    search.runs[0].listed(0.0, 0.0)
    for look_at in (600.0, 600.0, 20.0):
        search.look(20.0, BUSY)
        assert search.runs[0].look_at == look_at


class TestOtherLists:
    def test_are_read_for_many_runs_on_later_pages(self):
        few = Search(46 + 8)
        assert len(few.look(5.0, full(*(f"r{number}" for number in range(46))))) == 1
        assert few.runs[50].look_at == 6.5
        many = Search(46 + 9)
        sent = many.look(5.0, full(*(f"r{number}" for number in range(46))), *[rows()] * 5)
        assert [page.status for page in sent] == [None, *LIVING]
        assert many.runs[50].look_at == 6.5
        assert {page.limit for page in sent} == {100}
        assert {page.offset for page in sent} == {0}

    def test_overlap(self):
        sent = Search(20).look(5.0, full(), full(), full(), *[rows()] * 5)
        pages = [(page.status, page.offset) for page in sent[1:]]
        assert pages[:4] == [("not-started", 0), ("not-started", 90), ("not-started", 180), ("queued", 0)]

    def test_end_with_too_many_pages(self):
        search = Search(20)
        assert len(search.look(5.0, full(), *[full()] * 11)) == 12
        assert search.runs[0].look_at == 6.5
        sent = search.look(6.0, full(), *[full()] * 11)
        assert sent[1].status == "not-started"  # runs of an unknown status are in no list of ended ones

    def test_take_more_pages_for_more_runs(self):
        assert len(Search(250).look(5.0, full(), *[full()] * 15)) == 16

    def test_that_are_read_in_part_prove_nothing(self):
        search = Search(21)
        search.look(5.0, rows(*(f"r{number}" for number in range(20))))
        sent = search.look(6.0, full(), *[full()] * 11)
        assert sent[1].status == "not-started"  # because of the one that is unknown
        assert search.listing.ended == []

    def test_are_those_of_ended_runs_unless_longer(self):
        search = Search(150)
        for run in search.runs:
            run.status = "running"
        search.look(5.0, full(), full(), full(), *[rows()] * 4)  # six pages, as the others may have
        assert search.look(6.0, full(), full(), full(), full(), *[rows()] * 4)[1].status == "success"
        assert search.look(7.0, full(), *[rows()] * 5)[1].status == "not-started"
        search = Search(250)
        search.look(5.0, full(), *[rows()] * 5)
        for run in search.runs:
            run.status = "running"
        assert search.look(6.0, full(), *[rows()] * 4)[1].status == "success"

    def test_are_those_with_fewer_pages(self):
        search = Search(20)
        search.look(5.0, rows(*(f"r{number}" for number in range(20))))
        sent = search.look(6.0, full(), *[rows()] * 4)
        assert [page.status for page in sent[1:]] == [*ENDED]
        sent = search.look(7.0, full(), full(), *[rows()] * 4)
        assert [page.status for page in sent[1:]] == ["success", *ENDED]
        sent = search.look(8.0, full(), full(), *[rows()] * 4)  # five pages, as there are other lists
        assert [page.status for page in sent[1:]] == ["success", *ENDED]
        search.look(9.0, full(), full(), full(), *[rows()] * 4)
        assert len(search.look(68.9, full(), *[rows()] * 5)) == 6
        assert len(search.look(69.0, full(), *[rows()] * 4)) == 5  # six pages are forgotten after a minute

    def test_show_what_has_ended_by_its_absence(self):
        search = Search(20)
        search.look(5.0, rows(*(f"r{number}" for number in range(20))))
        search.look(6.0, full(), full(), full(), *[rows()] * 4)  # now the ended ones have more pages
        running = rows(*(f"r{number}" for number in range(1, 20)))
        sent = search.look(7.0, full(), rows(), rows(), rows(), running, rows())
        assert [page.status for page in sent[1:]] == [*LIVING]
        assert search.listing.ended == ["r0"]
        assert search.runs[0].is_listed
        assert not search.runs[1].look_at < 600

    @pytest.mark.parametrize("state", ["unlisted", "unknown status", "dropped"])
    def test_prove_no_end_of_other_runs(self, state):
        search = Search(21)
        search.look(5.0, rows(*(f"r{number}" for number in range(1, 20))))
        first = search.runs[0]
        if state == "unlisted":
            first.status = "running"  # it was read by itself
        else:
            search.look(5.0, rows("r0", status="paused" if state == "unknown status" else "running"))

        def last(_):
            if state == "dropped":
                del search.listing.runs["r0"]
            return rows()

        running = rows(*(f"r{number}" for number in range(1, 20)))
        search.look(7.0, full(), rows(), rows(), rows(), running, last)
        assert search.listing.ended == []

    def test_failed_page_ends_the_search(self):
        search = Search(20)
        assert len(search.look(5.0, full(), rows(), BUSY)) == 3
        assert search.listing.due == 5.0 + 3.0
        assert search.runs[0].look_at == 10.0
