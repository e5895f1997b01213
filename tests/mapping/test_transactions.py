"""The statements of transactions, with the results of a database given by the test."""

import pytest

from comfydeploy._mapping import statements
from comfydeploy._mapping.journal import ADOPTED, OTHER_REQUEST, SAME_FILES, Conflict, Entry, Known
from comfydeploy._mapping.rows import Again, Claim, End, Finish, Record, Release, Row, Try, Unsend
from comfydeploy._mapping.transactions import (
    Call,
    Carried,
    adding,
    carried_out,
    carrying,
    creating,
    finding,
    joining,
    reading,
    releasing,
    requesting,
    restoring,
)
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import WorkflowRunModel
from comfydeploy.outcome import RunFailed

ROW = Row(1, "k", "trying", 2, "me", 9.0, None, "2026-11-25T03:04:05+00:00", "r", "{}", None, ("a.png",))
RUN = WorkflowRunModel(id="r", status="failed", raw={"id": "r"})


def columns(row):
    """Return a row as a database has it."""
    values = {name: getattr(row, name) for name in statements.COLUMNS}
    return tuple({**values, "files": None if row.files is None else '["a.png"]'}.values())


def values_of(row):
    return dict(zip(statements.COLUMNS, columns(row), strict=True))


def carried(transaction, *results):
    """Carry out a transaction with these results; return its value and the statements of each part."""
    calls, left = [], list(results)

    def execute(given):
        calls.append(list(given))
        return left.pop(0)

    value = carried_out(transaction, execute)
    assert not left
    return value, calls


def known(row=ROW, digest="d", place="x", request=None):
    return (digest, place, request, *columns(row))


def test_a_map_is_created_and_joined():
    _, [calls] = carried(creating("uuid", "night", 3, "SERIAL"), [])
    *tables, last = calls
    assert [call.text for call in tables] == [text.replace("{id}", "SERIAL") for text in statements.SCHEMA]
    assert "{" not in tables[1].text
    assert last == Call(statements.CREATE, {"uuid": "uuid", "name": "night", "spent": 3})
    found, [calls] = carried(joining(30.0), [[], [("uuid", "night", 300.0)]])
    assert found == ("uuid", "night", 300.0)
    assert calls == [Call(statements.JOIN, {"post_limit": 30.0}), Call(statements.MAP)]


def test_adopted_runs_are_written():
    row = Row(1, "k", "created", 2, tried_at=5.0, since="then", run_id="r")
    _, [calls] = carried(restoring([(row, "{}")]), [])
    values = {"key": "k", "digest": ADOPTED, "request": "{}", "state": "created", "attempt": 2}
    assert calls == [Call(statements.RESTORE, {**values, "tried_at": 5.0, "since": "then", "run_id": "r"})]


def test_rows_are_read_in_order():
    other = Row(2, "l")
    found, [calls] = carried(finding(("l", "m", "k")), [[known(), known(other, "e")]])
    assert found == [Known("e", other), None, Known("d", ROW)]
    assert calls == [Call(statements.FIND, {"keys": ["l", "m", "k"]})]
    assert carried(finding([]), [[]])[0] == []
    found, [calls] = carried(reading(iter((2, 1))), [[columns(ROW), columns(other)]])
    assert found == [other, ROW]
    assert calls == [Call(statements.ROWS, {"ids": [2, 1]})]
    assert carried(requesting(1), [[("{}",)]]) == ("{}", [[Call(statements.REQUEST, {"id": 1})]])


def test_a_damaged_row_is_not_read():
    with pytest.raises(SDKValidationError, match="a row is damaged"):
        carried(finding(["k"]), [[("d", "x", None, *columns(ROW)[:2], "odd", *columns(ROW)[3:])]])


class TestAdding:
    def add(self, entry, before, after=None):
        results = [[[]], [before]] + ([[], [after]] if after is not None else [])
        [answer], calls = carried(adding([entry]), *results)
        find = [Call(statements.FIND, {"keys": ["k"]})]
        assert calls[:2] == [[Call(statements.LOCKED_COUNTERS)], find]
        assert calls[3:] == ([find] if after is not None else [])
        return answer, calls[2] if after is not None else []

    def test_an_unknown_job(self):
        entry = Entry("k", "d", "{}", "x")
        assert self.add(entry, [], [known()]) == (ROW, [Call(statements.ADD, entry._asdict())])
        assert self.add(entry, [], [])[0] == Conflict(SAME_FILES)

    @pytest.mark.parametrize("state", ["trying", "done"])
    def test_a_known_job(self, state):
        row = Row(1, "k", state)
        assert self.add(Entry("k", "d", "{}", "x"), [known(row)]) == (row, [])
        assert self.add(Entry("k", "e", "{}", "x"), [known(row)]) == (Conflict(OTHER_REQUEST), [])
        assert self.add(Entry("k", "e", "{}", "y"), [known(row)]) == (Conflict(OTHER_REQUEST), [])

    def test_other_names_of_files(self):
        entry, place = Entry("k", "d", "{}", "y"), Call(statements.PLACE, {"place": "y", "id": 1})
        assert self.add(entry, [known()], [known(place="y")]) == (ROW, [place])
        assert self.add(entry, [known()], [known()]) == (Conflict(SAME_FILES), [place])
        done = Row(1, "k", "done")
        assert self.add(entry, [known(done)]) == (done, [])  # its files are there

    def test_a_run_that_was_adopted(self):
        request = '{"inputs":{"seed":1}}'
        entry = Entry("k", "d", request, "x")
        adopt = Call(statements.ADOPT, {"digest": "d", "request": request, "id": 1})
        place = Call(statements.PLACE, {"place": "x", "id": 1})
        found = known(digest=ADOPTED, request=request)
        assert self.add(entry, [found], [known()]) == (ROW, [adopt])
        found = known(digest=ADOPTED, place=None, request=request)
        assert self.add(entry, [found], [known()]) == (ROW, [adopt, place])
        for text in ('{"inputs":{"seed":2}}', None):
            found = known(digest=ADOPTED, place=None, request=text)
            assert self.add(entry, [found]) == (Conflict(OTHER_REQUEST), [])
        # With the inputs of the request, but of another digest, it is another request.
        assert self.add(entry, [known(digest="e", request=request)]) == (Conflict(OTHER_REQUEST), [])

    def test_several_jobs(self):
        entries = [Entry("k", "d", "{}", "x"), Entry("l", "d", "{}", "y")]
        other = Row(2, "l")
        found, calls = carried(adding(entries), [[]], [[known()]], [], [[known(), known(other, place="y")]])
        assert found == [ROW, other]
        assert calls[2] == [Call(statements.ADD, entries[1]._asdict())]


class TestCarrying:
    def carry(self, steps, *rows, spent=0):
        """Return the answers, the statements that read, and those that write."""
        results = [[[(spent, 30.0)], *([columns(row) for row in some] for some in rows)], []]
        calls, left = [], results

        def execute(given):
            calls.append(list(given))
            return left.pop(0)

        found = carried_out(carrying(steps), execute)
        assert isinstance(found, Carried)
        assert found.longest_post == 30.0
        return found.answers, calls[0], calls[1] if len(calls) > 1 else []

    def test_own_rows_are_locked(self):
        step = Record(1, "me", "s")
        after = Row(1, "k", "created", 2, "me", 9.0, None, ROW.since, "s", "{}", None, ("a.png",))
        answers, reads, writes = self.carry([step], [ROW])
        assert answers == [after]
        assert reads == [Call(statements.COUNTERS), Call(statements.LOCKED_ROWS, {"ids": [1]})]
        assert writes == [Call(statements.WRITE, values_of(after))]

    def test_claimed_rows_are_skipped_where_locked(self):
        claim = Claim(1, "you", 20.0, "me", 9.0)
        answers, reads, writes = self.carry([claim, Release(2, "me")], [], [])
        assert answers == [None, None]
        assert reads == [
            Call(statements.COUNTERS),
            Call(statements.UNLOCKED_ROWS, {"ids": [1]}),
            Call(statements.LOCKED_ROWS, {"ids": [2]}),
        ]
        assert writes == []
        [row], reads, _ = self.carry([claim], [ROW])
        assert (row.owner, row.lease) == ("you", 20.0)
        assert reads[1:] == [Call(statements.UNLOCKED_ROWS, {"ids": [1]})]

    def test_runs_are_counted(self):
        steps = [Try(number, "me", 1.0, 2.0, None, 6) for number in (1, 2, 3)]
        rows = [Row(number, str(number), "trying", owner="me") for number in (1, 2, 3)]
        answers, reads, writes = self.carry(steps, rows, spent=4)
        assert answers == ["tried", "tried", "spent"]
        assert reads[0] == Call(statements.LOCKED_COUNTERS)
        assert [call.values.get("id") for call in writes] == [1, 2, None]
        assert writes[-1] == Call(statements.SPEND, {"runs": 2})
        tried = Row(1, "k", "trying", owner="me", tried_at=1.0)
        _, reads, writes = self.carry([Unsend(1, "me")], [tried])
        assert reads[0] == Call(statements.LOCKED_COUNTERS)
        assert writes[-1] == Call(statements.SPEND, {"runs": -1})
        _, reads, _ = self.carry([Unsend(1, "me"), Release(1, "me")], [tried])
        assert reads[0] == Call(statements.LOCKED_COUNTERS)
        answers, _, writes = self.carry([steps[0]._replace(owner="other")], [tried])
        assert (answers, writes) == (["lost"], [])

    def test_steps_of_a_row_follow_each_other(self):
        answers, _, writes = self.carry([Record(1, "me", "s"), Again(1, "me")], [ROW])
        assert [row.state for row in answers] == ["created", "trying"]
        assert [call.values["attempt"] for call in writes] == [3]

    def test_results_are_stored_as_text(self):
        error = RunFailed("failed", RUN, "r")
        [row], _, [write] = self.carry([End(1, "me", RUN)], [ROW])
        assert row.run == write.values["run"] == '{"id":"r"}'
        [row], _, [write] = self.carry([Finish(1, "me", RUN, error, None)], [ROW])
        assert row.error == write.values["error"]
        assert row.error.startswith('{"error":"RunFailed","message":"failed"')
        assert (write.values["run"], write.values["files"]) == ('{"id":"r"}', None)
        _, _, [write] = self.carry([Finish(1, "me", RUN, None, ("a.png", "b.png"))], [ROW])
        assert write.values["files"] == '["a.png", "b.png"]'

    def test_all_rows_of_a_process_are_released(self):
        found, calls = carried(
            releasing("me"), [[(1, "me1")]], [[(0, 30.0)], [columns(Row(1, "k", "trying", owner="me1"))]], []
        )
        assert calls[0] == [Call(statements.OWNED, {"session": "me"})]
        assert (found.answers[0].owner, found.answers[0].state) == (None, "new")
