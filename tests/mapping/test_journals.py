"""All journals carry out the steps of a row, and errors of a file are one sentence."""

import random
import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from comfydeploy._mapping import sqlite
from comfydeploy._mapping.journal import Conflict, Entry, Memory
from comfydeploy._mapping.postgres import Postgres
from comfydeploy._mapping.rows import (
    Again,
    Claim,
    End,
    Finish,
    Record,
    Release,
    Reopen,
    Row,
    Try,
    Unsend,
    changed,
)
from comfydeploy._mapping.sqlite import Sqlite
from comfydeploy._mapping.stored import error_of, error_text, run_of, run_text
from comfydeploy.errors import SDKValidationError, UnexpectedClientError
from comfydeploy.models import WorkflowRunModel
from comfydeploy.outcome import RunCancelled, RunFailed, RunTimedOut

RUN = WorkflowRunModel(id="r", status="failed", raw={"id": "r", "status": "failed", "webhook": "https://h/x?token=t"})
FAILED = RunFailed("failed", RUN, "r", "node", "5", "KSampler", logs=("one", "two"), source="logs")


def entry(key, place=None, digest="d"):
    return Entry(key, digest, "{}", place)


@pytest.fixture(params=["file", "database"])
def opened(request, tmp_path, map_name):
    """Open the journal of the test again and again."""
    address = request.getfixturevalue("postgres_server").address if request.param == "database" else None

    def begun(name=None, post_limit=300.0):
        if address is None:
            return closing(Sqlite(str(tmp_path / "j"), name, post_limit))
        return closing(Postgres(address, map_name, post_limit))

    return begun


@pytest.fixture(params=["memory", "file", "database"])
def journal(request, tmp_path):
    if request.param == "memory":
        made = Memory("map", "uuid", 300.0)
    elif request.param == "file":
        made = Sqlite(str(tmp_path / "j"), None, 300.0)
    else:
        made = Postgres(request.getfixturevalue("postgres_server").address, request.getfixturevalue("map_name"), 300.0)
    yield made
    made.close()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "night.sqlite")


def refused(path, name=None):
    with pytest.raises(SDKValidationError) as caught:
        Sqlite(path, name, 300.0)
    return caught.value.message


def steps(row, dice):
    """Return one of all steps for a row, with its own values or those of others."""
    owner = dice.choice([row.owner or "a", "a", "b"])
    seen = dice.choice([(row.owner, row.lease), ("b", 1.0)])
    run_id = dice.choice("rs")
    return dice.choice(
        [
            Claim(row.id, owner, 2.0, *seen),
            Reopen(row.id, owner, 2.0, *dice.choice([("ended", row.attempt), ("trying", row.attempt + 1)])),
            Try(row.id, owner, 5.0, 6.0, "2026-11-25T03:04:05+00:00", None),
            Unsend(row.id, owner),
            Record(row.id, owner, run_id),
            Again(row.id, owner),
            End(row.id, owner, RUN),
            Finish(row.id, owner, RUN, *dice.choice([(None, ("a.png",)), (FAILED, None)])),
            Release(row.id, owner),
        ]
    )


def as_stored(row):
    return evolve(row, run=run_text(row.run), error=error_text(row.error))


@pytest.mark.parametrize("seed", range(3))
def test_every_step_changes_the_row_as_said(journal, seed):
    dice = random.Random(seed)
    (row,) = journal.add([entry("k")])
    for _ in range(80 if isinstance(journal, Postgres) else 400):
        step = steps(row, dice)
        expected = changed(row, step)
        (answer,) = journal.carry_out([step])
        assert (
            answer == "tried"
            if isinstance(step, Try) and expected
            else bool(expected) == (answer not in (None, "lost", "spent"))
        )
        row = expected or row
        (found,) = journal.rows([row.id])
        assert found == (row if isinstance(journal, Memory) else as_stored(row))


def test_what_is_spent(journal):
    rows = journal.add([entry(key) for key in "abc"])
    for row in rows:
        journal.carry_out([Claim(row.id, "me", 1.0, None, 0.0)])

    def tried(row, owner="me"):
        return journal.carry_out([Try(row.id, owner, 1.0, 1.0, None, 2)])[0]

    assert [tried(rows[0]), tried(rows[0]), tried(rows[1]), tried(rows[2])] == ["tried", "tried", "tried", "spent"]
    assert tried(rows[2], "other") == "lost"
    journal.carry_out([Unsend(rows[1].id, "me")])
    assert tried(rows[2]) == "tried"


def test_jobs_that_do_not_fit(journal):
    good, key, files = journal.add([entry("a", "x"), entry("a", "y", "other"), entry("b", "x")])
    assert isinstance(good, Row)
    assert isinstance(key, Conflict)
    assert isinstance(files, Conflict)


def test_owners_of_this_process_live(journal):
    assert journal.is_alive(f"{journal.session}1")
    (row,) = journal.add([entry("k")])
    journal.carry_out([Claim(row.id, f"{journal.session}1", 1.0, None, 0.0)])
    journal.renew(7.0)
    assert journal.rows([row.id])[0].lease == (1.0 if isinstance(journal, Postgres) else 7.0)  # which needs no lease


def test_memory_forgets():
    journal = Memory("map", "uuid", 300.0)
    for _ in range(2):
        (row,) = journal.add([entry("k", "x")])
        assert isinstance(row, Row)
        journal.drop(row.id)
    (row,) = journal.add([entry("l")])
    journal.drop(row.id)
    assert journal.find(["k"]) == [None]
    journal.close()


class TestAKeptOne:
    def test_keeps_rows(self, opened):
        with opened(post_limit=30.0) as journal:
            rows = journal.add([entry("a"), entry("b")])
            assert [one and one.row for one in journal.find(["b", "c"])] == [rows[1], None]
            journal.drop(rows[0].id)
            journal.leave()
            uuid, name = journal.uuid, journal.name
        with opened(post_limit=20.0) as journal:
            assert journal.add([entry("b"), entry("a")]) == [rows[1], rows[0]]
            assert (journal.name, journal.uuid, journal.longest_post) == (name, uuid, 30.0)
            assert journal.request(rows[0].id) == "{}"

    def test_releases_its_rows_at_the_end(self, opened):
        with opened() as journal:
            tried, new, done = journal.add([entry("a"), entry("b"), entry("c")])
            owner = f"{journal.session}1"
            journal.carry_out([Claim(row.id, owner, 1.0, None, 0.0) for row in (tried, new, done)])
            journal.carry_out([Try(tried.id, owner, 1.0, 1.0, None, None), Finish(done.id, owner, RUN, None, None)])
        with opened() as journal:
            states = [(row.state, row.owner) for row in journal.rows([tried.id, new.id, done.id])]
            assert states == [("trying", None), ("new", None), ("done", None)]

    def test_names_of_files_may_change(self, opened):
        with opened() as journal:
            journal.add([entry("a", "x"), entry("b", "y")])
            assert isinstance(journal.add([entry("a", "z")])[0], Row)
            assert isinstance(journal.add([entry("b", "z")])[0], Conflict)

    def test_any_text_is_kept(self, opened):
        text = "100 % of :it isn't {lock} \\ \N{SNOWMAN} $1 ::int; DROP TABLE jobs"
        with opened() as journal:
            journal.add([Entry(text, "d", text, text)])
        with opened() as journal:
            assert journal.request(journal.find([text])[0].row.id) == text

    def test_two_processes_share_it(self, opened):
        with opened() as one, opened(post_limit=600.0) as other:
            (row,) = one.add([entry("k")])
            claims = [Claim(row.id, f"{each.session}1", 1.5, None, 0.0) for each in (one, other)]
            assert one.carry_out(claims[:1])[0].owner == claims[0].owner
            assert other.carry_out(claims[1:]) == [None]
            assert one.longest_post == 600.0  # of the other one, which was opened later
            assert other.is_alive(other.rows([row.id])[0].owner)

    def test_the_steps_of_a_batch_follow_each_other(self, opened):
        with opened() as journal:
            (row,) = journal.add([entry("k")])
            claim, tried = Claim(row.id, "me", 1.0, None, 0.0), Try(row.id, "me", 1.0, 1.0, None, None)
            answers = journal.carry_out([claim, tried, Record(row.id, "me", "r"), Again(row.id, "me"), tried])
            assert (answers[1], answers[4], journal.rows([row.id])[0].attempt) == ("tried", "tried", 2)

    def test_processes_at_the_same_time_count_once(self, opened):
        """Three claim the same rows and send what they have; ``max_runs`` is that of all."""
        found, most = [], 10

        def run(journal):
            owner = f"{journal.session}1"
            rows = journal.add([entry(str(number)) for number in range(15)])
            for few in (rows[:5], rows[5:10], rows[10:]):
                claimed = journal.carry_out([Claim(row.id, owner, 1.0, None, 0.0) for row in few])
                own = [row for row in claimed if row is not None]
                answers = journal.carry_out([Try(row.id, owner, 1.0, 2.0, None, most) for row in own])
                found.extend(zip([row.key for row in own], answers, strict=True))

        with opened() as one, opened() as two, opened() as three:
            threads = [threading.Thread(target=run, args=(journal,)) for journal in (one, two, three)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sorted(int(key) for key, _ in found) == [*range(15)]
        assert sorted(answer for _, answer in found) == ["spent"] * 5 + ["tried"] * most

    def test_a_step_that_fails_undoes_the_others(self, opened):
        with opened() as journal:
            (row,) = journal.add([entry("k")])
            claim = Claim(row.id, "me", 1.0, None, 0.0)
            with pytest.raises((sqlite3.Error, UnexpectedClientError)):
                journal.carry_out([claim, Record(row.id, "me", object())])
            assert journal.rows([row.id]) == [row]

    def test_many_jobs_at_once(self, opened):
        with opened() as journal:
            rows = journal.add([entry(str(number)) for number in range(1200)])
            assert journal.rows(reversed([row.id for row in rows])) == rows[::-1]
            assert [row.key for row in rows] == [str(number) for number in range(1200)]


class TestAFile:
    def test_only_its_owner_may_read_it(self, path):
        with closing(Sqlite(path, None, 300.0)):
            assert stat.S_IMODE(Path(path).stat().st_mode) & 0o077 == 0 or sys.platform == "win32"

    def test_another_map(self, path):
        Sqlite(path, "one", 300.0).close()
        assert "is the journal of the map 'one', not of 'two'" in refused(path, "two")

    def test_another_version(self, path):
        Sqlite(path, None, 300.0).close()
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA user_version = 2")
        assert "has version 2, and this version of comfydeploy reads version 1" in refused(path)

    def test_a_database_of_another_program(self, path):
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE t (x)")
        assert "is a database of another program" in refused(path)

    def test_a_damaged_one(self, path):
        Path(path).write_bytes(b"no database" * 100)
        assert "is damaged or not a journal" in refused(path)
        Sqlite(f"{path}2", None, 300.0).close()
        with Path(f"{path}2").open("r+b") as file:
            file.seek(100)
            file.write(b"\xff" * 4000)
        assert "is damaged or not a journal" in refused(f"{path}2")

    def test_a_damaged_name_in_its_schema(self, path):
        Sqlite(path, None, 300.0).close()
        content = Path(path).read_bytes()
        assert content.count(b"CREATE TABLE jobs")
        Path(path).write_bytes(content.replace(b"CREATE TABLE jobs", b"CREATE \x80\x80\x80\x80\x80 jobs"))
        assert "is damaged or not a journal" in refused(path)

    def test_a_damaged_row(self, path):
        with closing(Sqlite(path, None, 300.0)) as journal:
            journal.add([entry("k")])
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("UPDATE jobs SET files = '[bad'")
        with closing(Sqlite(path, None, 300.0)) as journal, pytest.raises(SDKValidationError, match="a row is damaged"):
            journal.find(["k"])

    def test_a_locked_one(self, path, monkeypatch):
        monkeypatch.setattr(sqlite, "_BUSY", 0.0)
        Sqlite(path, None, 300.0).close()
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            assert "is locked by another program" in refused(path)

    def test_a_folder_that_is_missing(self, tmp_path):
        assert "cannot be used: unable to open" in refused(str(tmp_path / "no" / "j"))

    def test_a_lock_that_cannot_be_made(self, path, monkeypatch):
        def fail(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(sqlite, "Session", fail)
        assert "the lock beside" in refused(path)

    def test_full_disk_loses_nothing(self, path):
        with closing(Sqlite(path, None, 300.0)) as journal:
            (row,) = journal.add([entry("k")])
            journal._connection.execute("PRAGMA max_page_count = 8")
            with pytest.raises(sqlite3.OperationalError, match="full"):
                journal.add([entry(f"{n}" * 5000) for n in range(20)])
            assert journal.carry_out([Claim(row.id, "me", 1.0, None, 0.0)])[0].owner == "me"


@pytest.mark.parametrize(
    "error", [FAILED, RunCancelled("cancelled", RUN, "r"), RunTimedOut("late", RUN, "r", "unmarked", "row", "a hint")]
)
def test_stored_ends_are_read_again(error):
    run = run_of(run_text(RUN))
    again = error_of(error_text(error), run)
    assert type(again) is type(error)
    names = [name for name in error.__slots__ if not name.startswith("_") and name != "run"]
    assert [getattr(again, name) for name in names] == [getattr(error, name) for name in names]
    assert (again.run.id, again.run.raw["webhook"]) == ("r", "https://h/x")
    assert error_of(error_text(None), None) is run_of(run_text(None)) is None
