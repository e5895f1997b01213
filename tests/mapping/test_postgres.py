"""A PostgreSQL database as the journal of a map: what it promises when connections break, and its errors."""

import logging
import os
import sys
import threading
from contextlib import closing, contextmanager
from functools import partial

import psycopg
import pytest
from postgres_server import PASSWORD, free_port

from comfydeploy import Success
from comfydeploy._mapping import postgres, postgres_connection, postgres_session
from comfydeploy._mapping.journal import Entry
from comfydeploy._mapping.postgres import Postgres, schema_of, write_rows
from comfydeploy._mapping.postgres_session import ABSENCE
from comfydeploy._mapping.rows import Again, Claim, Finish, Record, Row, Try, Unsend
from comfydeploy._mapping.settings import Arguments, checked_settings
from comfydeploy.errors import SDKValidationError, UnexpectedClientError
from comfydeploy.mapping import contact_sheet


@pytest.fixture
def opened(postgres_server, map_name):
    return lambda name=None: closing(Postgres(postgres_server.address, name or map_name, 300.0))


@pytest.fixture
def journal(opened):
    with opened() as made:
        yield made


@pytest.fixture
def sql(postgres_server, map_name):
    """Carry out a statement in the schema of the map, and return its rows."""

    def run(text):
        with psycopg.connect(postgres_server.address, autocommit=True) as connection:
            connection.execute(f"SET search_path = {schema_of(map_name)}")
            cursor = connection.execute(text)
            return cursor.fetchall() if cursor.description else []

    return run


def entry(key, place=None):
    return Entry(key, "d", "{}", place)


def claimed(journal):
    """Add a job, claim it and return its row."""
    (row,) = journal.add([entry("k")])
    return journal.carry_out([Claim(row.id, f"{journal.session}1", 1.0, row.owner, row.lease)])[0]


def tried(row, most=None):
    return Try(row.id, row.owner, 5.0, 6.0, "2026-11-25T03:04:05+00:00", most)


def cut(journal):
    """Close the connection as a server does that has crashed."""
    journal._session._connection.close()


def refused(address, name="map"):
    with pytest.raises(SDKValidationError) as caught:
        Postgres(address, name, 300.0)
    assert PASSWORD not in repr(caught.value)
    return caught.value.message


@contextmanager
def breaking(monkeypatch, journal, *, at, after):
    """Cut the connection at the statement that begins with ``at``, before or after it is carried out, once."""
    executed, left = postgres_session.executed, [1]

    def run(connection, calls):
        if left and any(call.text.strip().startswith(at) for call in calls):
            left.clear()
            if after:
                executed(connection, calls)
            cut(journal)
        return executed(connection, calls)

    with monkeypatch.context() as patched:
        patched.setattr(postgres_session, "executed", run)
        patched.setattr(postgres_session, "_PAUSES", (0.0,))
        yield
    assert not left


class TestACutConnection:
    @pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
    def test_a_commit_is_carried_out_once(self, journal, monkeypatch, after):
        row = claimed(journal)
        with breaking(monkeypatch, journal, at="COMMIT", after=after):
            assert journal.carry_out([tried(row, 1)]) == ["tried"]
        with breaking(monkeypatch, journal, at="COMMIT", after=after):
            assert journal.carry_out([Record(row.id, row.owner, "r")])[0]
        with breaking(monkeypatch, journal, at="COMMIT", after=after):
            assert journal.carry_out([Again(row.id, row.owner)])[0]
        assert journal.rows([row.id])[0].attempt == 2
        assert journal.carry_out([tried(row, 1)]) == ["spent"]

    @pytest.mark.parametrize("at", ["BEGIN", "SELECT spent", "UPDATE jobs", "SELECT 1 FROM sessions"])
    def test_a_transaction_begins_anew(self, journal, monkeypatch, at):
        row = claimed(journal)
        with (
            breaking(monkeypatch, journal, at="COMMIT", after=True),
            breaking(monkeypatch, journal, at=at, after=False),
        ):
            assert journal.carry_out([tried(row)]) == ["tried"]
        assert journal.carry_out([Unsend(row.id, row.owner)])[0]

    def test_another_process_may_have_the_row_by_then(self, journal, opened, monkeypatch):
        row = claimed(journal)
        executed = postgres_session.executed

        def run(connection, calls):
            results = executed(connection, calls)
            if calls[-1].text == "COMMIT":
                monkeypatch.setattr(postgres_session, "executed", executed)
                with opened() as other:
                    claim = Claim(row.id, f"{other.session}1", 1.0, row.owner, 6.0)
                    assert other.carry_out([claim])[0].tried_at
                cut(journal)
                return executed(connection, calls)
            return results

        monkeypatch.setattr(postgres_session, "executed", run)
        assert journal.carry_out([tried(row)]) == ["lost"]

    def test_an_answer_that_is_late_is_confirmed(self, journal, opened, monkeypatch):
        row = claimed(journal)
        moments = iter([0.0, 60.0, 60.0, 61.0])
        monkeypatch.setattr(postgres_session, "_moment", lambda: (0.0, next(moments)))
        assert journal.carry_out([tried(row)]) == ["tried"]
        assert list(moments) == []

    def test_answers_that_are_always_late(self, journal, monkeypatch):
        row = claimed(journal)
        monkeypatch.setattr(postgres_session, "FRESH", 0.0)
        monkeypatch.setattr(postgres, "FRESH", 0.0)
        assert journal.carry_out([Record(row.id, row.owner, "r")])[0]
        assert journal.carry_out([Again(row.id, row.owner)])[0]
        with pytest.raises(UnexpectedClientError, match="each commit takes more than 0 s"):
            journal.carry_out([tried(row)])

    def test_earlier_connection_still_has_the_lock(self, journal, monkeypatch):
        monkeypatch.setattr(postgres_session, "_PAUSES", (0.05,))
        row, earlier = claimed(journal), journal._session._connection
        journal._session._connection = None
        assert journal.carry_out([tried(row)]) == ["tried"]
        with pytest.raises(psycopg.OperationalError):
            earlier.execute("SELECT 1")

    def test_a_deadlock_begins_the_transaction_anew(self, journal, monkeypatch):
        row, executed, left = claimed(journal), postgres_session.executed, [1]

        def run(connection, calls):
            if left and "COMMIT" in calls[-1].text:
                left.clear()
                raise psycopg.errors.DeadlockDetected
            return executed(connection, calls)

        monkeypatch.setattr(postgres_session, "executed", run)
        assert journal.carry_out([tried(row, 1)]) == ["tried"]

    def test_a_database_that_stays_away(self, journal, monkeypatch):
        row = claimed(journal)
        monkeypatch.setattr(postgres_session, "_PATIENCE", 0.2)
        monkeypatch.setattr(postgres_session, "_PAUSES", (0.0,))
        with breaking_addresses(journal):
            with pytest.raises(UnexpectedClientError) as caught:
                journal.carry_out([tried(row)])
            assert "it cannot be reached: " in caught.value.message
            assert "Connection refused. Start the map again to go on" in caught.value.message
            assert PASSWORD not in repr(caught.value)
        assert journal.carry_out([tried(row)]) == ["tried"]

    def test_a_map_that_is_left_waits_no_more(self, journal):
        row = claimed(journal)
        with breaking_addresses(journal):
            threading.Timer(0.05, journal.leave).start()
            with pytest.raises(UnexpectedClientError):
                journal.carry_out([tried(row)])
            journal.close()

    def test_a_child_does_not_keep_its_parent_alive(self, journal):
        descriptor = journal._session._connection.fileno()
        copy = os.dup(descriptor)
        journal._session.forget()  # as in a child, which has descriptors of its own
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
        os.dup2(copy, descriptor)
        os.close(copy)
        cut(journal)
        journal._session.forget()


@contextmanager
def breaking_addresses(journal):
    session, address = journal._session, journal._session._address
    cut(journal)
    session._address = f"postgresql://tester:{PASSWORD}@127.0.0.1:{free_port()}/postgres"
    yield
    session._address = address


class TestTwoProcesses:
    def test_a_row_in_change_is_not_claimed(self, journal, opened):
        (row,) = journal.add([entry("k")])
        claim = partial(Claim, row.id, lease=1.0, seen_owner=None, seen_lease=0.0)
        with psycopg.connect(journal._session._address) as other:
            other.execute(f"SELECT 1 FROM {journal._session._schema}.jobs FOR UPDATE")
            assert journal.carry_out([claim(owner="me")]) == [None]
        assert journal.carry_out([claim(owner="me")])[0].owner == "me"

    def test_one_that_has_died_is_taken_over(self, journal, opened, sql):
        """Also where each process looks only once."""

        def is_alive():
            with opened() as another:
                return another.is_alive(another.find(["k"])[0].row.owner)

        with opened() as other:
            row = claimed(other)
            assert journal.is_alive(journal.rows([row.id])[0].owner)
            cut(other)
            while not sql("SELECT 1 FROM sessions WHERE missing IS NOT NULL"):
                assert is_alive()
            sql(f"UPDATE sessions SET missing = missing - interval '{ABSENCE} seconds'")
            assert not is_alive()
            assert not journal.is_alive(journal.add([entry("k")])[0].owner)
            other.renew(1.0)  # it connects again
            assert sql("SELECT 1 FROM sessions WHERE missing IS NOT NULL") == []
            assert journal.is_alive(journal.rows([row.id])[0].owner)
            assert other.carry_out([tried(row)]) == ["tried"]

    def test_maps_have_schemas_of_their_own(self, opened, map_name):
        with opened() as one, opened(f"{map_name}: %s 'quoted' ☃") as other:
            one.add([entry("k")])
            assert other.find(["k"]) == [None]
            assert one.uuid != other.uuid

    def test_names_of_schemas(self):
        assert schema_of("map") == "comfydeploy_map"
        assert schema_of("Map").startswith("comfydeploy_map_")
        found = {schema_of(name) for name in ("Ä" * 50, "ä" * 50, "a b", "a_b", "x" * 50)}
        assert len(found) == 5
        assert all(len(name) < 64 and name.isascii() for name in found)

    def test_many_open_one_map_at_once(self, postgres_server, map_name):
        found = []

        def run():
            with closing(Postgres(postgres_server.address, map_name, 300.0)) as journal:
                found.append((journal.uuid, [row.key for row in journal.add([entry(key) for key in "abc"])]))

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len({uuid for uuid, _ in found}) == 1

    def test_the_table_of_sessions_is_left_empty(self, journal, opened, sql):
        with opened() as other:
            claimed(other)
            assert len(sql("SELECT 1 FROM sessions")) == 2
        assert len(sql("SELECT 1 FROM sessions")) == 1


class TestErrors:
    def test_no_server(self):
        said = refused(f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/postgres")
        assert said.startswith("journal: postgresql://me:[redacted]@127.0.0.1:")
        assert said.endswith("Connection refused")

    def test_a_wrong_password(self, postgres_server):
        said = refused(postgres_server.address_of(password="another-word"))
        assert said.endswith('cannot be used: password authentication failed for user "tester"')

    def test_a_database_that_is_missing(self, postgres_server):
        assert refused(postgres_server.address_of("none")).endswith('database "none" does not exist')

    @pytest.mark.parametrize(
        "address",
        [
            "postgresql://me:pass-word@of-the-test@host/db",
            "postgresql://me:pass/word@host/db",
            "postgresql://me:pass-word",
            "postgresql://host:port/db",
            "mysql://me:pass-word@host/db",
        ],
    )
    def test_an_invalid_address(self, address):
        with pytest.raises(SDKValidationError) as caught:
            checked_settings(Arguments(journal=address))
        said = caught.value.message
        assert "expected the path of a file, or postgresql://user:password@host:port/database" in said
        assert ("pass" in said.partition("; got ")[2], ":[redacted]" in said or "://[redacted]" in said) == (
            False,
            True,
        )

    @pytest.mark.parametrize("end", ["a%zz@h/db", "a@h/db?passwort=b"])
    def test_an_address_that_libpq_refuses(self, end):
        said = refused(f"postgresql://me:{PASSWORD}-{end}")
        assert "expected postgresql://user:password@host:port/database" in said

    def test_displays_have_no_password(self, postgres_server):
        given = Arguments(journal=postgres_server.address)
        shown = f"{given!r} {checked_settings(given)!r}"
        assert PASSWORD not in shown
        assert shown.count("postgresql://tester:[redacted]@127.0.0.1:") == 2
        assert "journal='j'" in repr(Arguments(journal="j")).replace("journal=j,", "journal='j',")

    def test_nothing_is_logged(self, postgres_server, caplog):
        with caplog.at_level(logging.DEBUG):
            Postgres(postgres_server.address, "logs", 300.0).close()
            refused(postgres_server.address_of(password=f"{PASSWORD}-2"))
        assert PASSWORD not in caplog.text

    def test_an_old_server(self, postgres_server, map_name, monkeypatch):
        monkeypatch.setattr(postgres, "_OLDEST", 99)
        assert "of PostgreSQL, expected 99 or newer" in refused(postgres_server.address, map_name)

    def test_another_encoding(self, postgres_server, sql):
        sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
        assert refused(postgres_server.address_of("latin")).endswith("has the encoding LATIN1, expected UTF8")

    def test_another_version(self, postgres_server, journal, map_name, sql):
        sql("COMMENT ON TABLE map IS 'comfydeploy journal 2'")
        said = refused(postgres_server.address, map_name)
        assert f"has version 2 of the map {map_name!r}, and this version of comfydeploy reads version 1" in said
        sheet = contact_sheet(postgres_server.address, "sheet.html", name=map_name).failure().message
        assert f"has no map {map_name!r} of this version of comfydeploy" in sheet

    def test_tables_of_another_program(self, postgres_server, map_name, sql):
        sql(f"CREATE SCHEMA {schema_of(map_name)}")
        sql("CREATE TABLE map (x INTEGER)")
        assert "has tables of another program in the schema" in refused(postgres_server.address, map_name)

    def test_a_user_who_may_not_create(self, postgres_server, map_name, sql):
        sql(f"CREATE ROLE guest_{map_name[-8:]} LOGIN PASSWORD '{PASSWORD}'")
        said = refused(postgres_server.address_of(user=f"guest_{map_name[-8:]}"), map_name)
        assert said.endswith("cannot be used: permission denied for database postgres")

    def test_a_setting_that_it_refuses(self, postgres_server, map_name, monkeypatch):
        monkeypatch.setitem(postgres_connection._SETTINGS, "lock_timeout", "soon")
        assert 'invalid value for parameter "lock_timeout"' in refused(postgres_server.address, map_name)

    def test_a_table_that_is_gone(self, journal, sql):
        sql("DROP TABLE jobs")
        with pytest.raises(UnexpectedClientError, match=r'relation "jobs" does not exist.* Start the map again'):
            journal.find(["k"])

    def test_a_text_that_it_cannot_hold(self, journal):
        with pytest.raises(UnexpectedClientError, match="NUL"):
            journal.add([entry("a\0b")])
        assert isinstance(journal.add([entry("a")])[0], Row)

    def test_psycopg_that_is_missing(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "psycopg", None)
        error = contact_sheet("postgresql://me:word@host/db", "sheet.html").failure()
        assert "postgresql://me:[redacted]@host/db needs psycopg" in error.message
        assert "pip install 'comfydeploy[postgres]'" in error.message


class TestTheSheet:
    def test_has_the_rows_of_a_map(self, postgres_server, journal, tmp_path):
        row = claimed(journal)
        journal.carry_out([tried(row), Record(row.id, row.owner, "run-of-k")])
        journal.carry_out([Finish(row.id, row.owner, None, None, ("a.png",))])
        made = contact_sheet(postgres_server.address, tmp_path / "sheet.html", name=journal.name)
        assert isinstance(made, Success)
        page = made.unwrap().read_text()
        assert "run-of-k" in page
        assert f"{journal.name} (postgres)" in page
        assert PASSWORD not in page

    def test_of_a_server_that_is_away(self, tmp_path):
        address = f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/postgres"
        assert "Connection refused" in contact_sheet(address, tmp_path / "sheet.html").failure().message


def test_a_lost_journal_is_written_again(postgres_server, map_name):
    row = Row(1, "k", "created", 2, tried_at=0.0, run_id="r")
    write_rows(postgres_server.address, map_name, "uuid", [(row, '{"inputs": {}}')])
    with pytest.raises(SDKValidationError, match=r"has the map .* already: start run_map with it"):
        write_rows(postgres_server.address, map_name, "uuid", [])
    with closing(Postgres(postgres_server.address, map_name, 300.0)) as journal:
        assert (journal.uuid, journal.add([Entry("k", "d", '{"inputs": {}}', None), entry("l")])[0].run_id) == (
            "uuid",
            "r",
        )
        assert isinstance(journal.find(["l"])[0].row, Row)
