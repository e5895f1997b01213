"""The steps that change the row of a job."""

import pytest
from attrs import evolve

from comfydeploy._mapping.journal import RENEWAL, SAME_FILES, SAME_KEY, Conflict, Entry, Memory
from comfydeploy._mapping.markers import Marker, Markers
from comfydeploy._mapping.protocol import LEASE
from comfydeploy._mapping.rows import (
    DURABLE,
    Again,
    Answer,
    Claim,
    End,
    Finish,
    Record,
    Release,
    Reopen,
    Row,
    Try,
    Unsend,
    answered,
    changed,
)

ROW = Row(1, "k", "trying", 2, "me", 9.0, 5.0, "since", "r", "run", "error", ("a.png",))
STATES = ("new", "trying", "created", "ended", "done")
FREE = {"owner": None, "lease": 0.0}
MINE = {"owner": "you", "lease": 20.0}
ANEW = {"attempt": 3, "tried_at": None, "run_id": None}


def test_a_row_begins_new():
    assert Row(1, "k") == Row(1, "k", "new", 1, None, 0.0, None, None, None, None, None, None)
    assert "secret" not in repr(Row(1, "k", run="secret", error="secret"))


@pytest.mark.parametrize(
    ("step", "changes"),
    [
        (Claim(1, "you", 20.0, "me", 9.0), {**dict.fromkeys(STATES[1:4], MINE), "new": {**MINE, "state": "trying"}}),
        (Claim(1, "you", 20.0, "other", 9.0), {}),
        (Claim(1, "you", 20.0, "me", 8.0), {}),
        (Reopen(1, "you", 20.0, "ended", 2), {"done": {**MINE, "state": "ended", "error": None}}),
        (Reopen(1, "you", 20.0, "trying", 3), {"done": {**MINE, **ANEW, "state": "trying", "error": None}}),
        (Try(1, "me", 7.0, 67.0, "then", None), {"trying": {"tried_at": 7.0, "lease": 67.0, "since": "then"}}),
        (Unsend(1, "me"), {"trying": {"tried_at": None}}),
        (Record(1, "me", "s"), {"trying": {"state": "created", "run_id": "s"}}),
        (Again(1, "me"), {"created": {**ANEW, "state": "trying"}}),
        (End(1, "me", "RUN"), {state: {"state": "ended", "run": "RUN"} for state in STATES[:4]}),
        (
            Finish(1, "me", "RUN", "ERROR", ("b.png",)),
            {
                state: FREE | {"state": "done", "run": "RUN", "error": "ERROR", "files": ("b.png",)}
                for state in STATES[:4]
            },
        ),
        (Release(1, "me"), dict.fromkeys(STATES[:4], FREE)),
        *((step(1, "other"), {}) for step in (Unsend, Again, Release)),
        (Record(1, "other", "s"), {}),
        (End(1, "other", "RUN"), {}),
        (Finish(1, "other", "RUN", None, None), {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_step_changes_its_states(step, changes):
    for state in STATES:
        row = evolve(ROW, state=state)
        expected = evolve(row, **changes[state]) if state in changes else None
        assert changed(row, step) == expected


def test_a_row_that_was_never_tried_is_new_again():
    assert changed(evolve(ROW, tried_at=None), Release(1, "me")).state == "new"
    assert changed(evolve(ROW, tried_at=None, state="ended"), Release(1, "me")).state == "ended"


class TestAnswers:
    def test_count_runs(self):
        first, tried = evolve(ROW, tried_at=None), Try(1, "me", 7.0, 67.0, "then", 3)
        after = evolve(ROW, tried_at=7.0, lease=67.0, since="then")
        assert answered(first, tried, 2) == Answer("tried", after, 1)
        assert answered(first, tried, 3) == Answer("spent", None, 0)
        assert answered(first, tried._replace(max_runs=None), 10**6) == Answer("tried", after, 1)
        assert answered(ROW, tried, 3) == Answer("tried", after, 0)  # it was counted before
        assert answered(ROW, tried._replace(owner="other"), 0) == Answer("lost", None, 0)

    def test_return_what_was_not_sent(self):
        after = evolve(ROW, tried_at=None)
        assert answered(ROW, Unsend(1, "me"), 5) == Answer(after, after, -1)
        assert answered(after, Unsend(1, "me"), 5) == Answer(after, after, 0)

    def test_are_the_rows_of_other_steps(self):
        after = evolve(ROW, **FREE)
        assert answered(ROW, Release(1, "me"), 5) == Answer(after, after, 0)
        assert answered(ROW, Release(1, "other"), 5) == Answer(None, None, 0)


def test_what_is_durable_before_a_request():
    assert set(DURABLE) == {Claim, Reopen, Try}


class TestMemory:
    def test_finds_conflicts(self):
        journal = Memory("map", "uuid", 300.0)
        jobs = [("a", "x"), ("a", "y"), ("b", "x"), ("c", None), ("d", None)]
        found = journal.add([Entry(key, "d", "{}", place) for key, place in jobs])
        assert found == [Row(1, "a"), Conflict(SAME_KEY), Conflict(SAME_FILES), Row(2, "c"), Row(3, "d")]
        journal.drop(1)
        assert journal.add([Entry("a", "d", "{}", "x")]) == [Row(4, "a")]
        journal.drop(2)
        assert journal.add([Entry("c", "d", "{}", None)]) == [Row(5, "c")]
        assert journal.find(["a", "c", "x"]) == [None, None, None]  # each job is new

    def test_counts_runs(self):
        journal = Memory("map", "uuid", 300.0)
        journal.add([Entry(key, "d", "{}", None) for key in "ab"])
        steps = [Claim(1, "me", 1.0, None, 0.0), Claim(2, "me", 1.0, None, 0.0), Release(2, "other")]
        assert [bool(answer) for answer in journal.carry_out(steps)] == [True, True, False]
        tried = [Try(number, "me", 1.0, 2.0, None, 1) for number in (1, 1, 2)]
        assert journal.carry_out(tried) == ["tried", "tried", "spent"]
        assert [row.tried_at for row in journal.rows([1, 2])] == [1.0, None]
        journal.carry_out([Unsend(1, "me")])
        assert journal.carry_out(tried[2:]) == ["tried"]

    def test_extends_the_leases_of_owners(self):
        journal = Memory("map", "uuid", 300.0)
        journal.add([Entry(key, "d", "{}", None) for key in "ab"])
        journal.carry_out([Claim(1, "this1", 1.0, None, 0.0)])
        journal.renew(7.0)
        assert journal.rows([2, 1]) == [Row(2, "b"), Row(1, "a", "trying", owner="this1", lease=7.0)]
        assert journal.is_alive("this1")
        assert not journal.is_alive("other this")
        assert (journal.name, journal.uuid, journal.longest_post) == ("map", "uuid", 300.0)


def test_leases_are_extended_four_times():
    assert (RENEWAL, LEASE) == (15.0, 60.0)
    assert Memory("map", "uuid", 300.0).renewal == RENEWAL


@pytest.mark.parametrize(
    "text", ["", "n/j/k", "n/j//1", "n//k/1", "/j/k/1", "n/j/k/", "n/j/k/0", "n/j/k/x", "n/j/k/-1", "n/j/k/\u0661"]
)
def test_what_is_no_marker(text):
    assert Marker.parsed(text) is None


def test_markers_of_a_map():
    markers = Markers("night", "j1")
    assert markers.of("a/b", 2) == "night/j1/a/b/2"
    assert markers.of("k", 1) in markers
    assert not any(other in markers for other in ("night/j2/k/1", "day/j1/k/1", "night/j10/k/1", None, 3))
    assert Marker.parsed("night/j1/a/b/2") == ("night", "j1", "a/b", 2)
