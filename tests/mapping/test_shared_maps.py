"""Maps whose journal is a PostgreSQL database, which several processes share."""

import threading
from datetime import UTC, datetime
from traceback import TracebackException

import psycopg
import pytest
from postgres_server import PASSWORD

from comfydeploy import Success
from comfydeploy._mapping.jobs import journal_entry, read_job
from comfydeploy._mapping.postgres import Postgres, schema_of
from comfydeploy._mapping.rows import Claim
from comfydeploy.client import ComfyDeploy
from comfydeploy.emulator import Emulator
from comfydeploy.funcs import run_map as module
from comfydeploy.funcs.map_step import map_step
from comfydeploy.funcs.run_map_adopt import run_map_adopt
from comfydeploy.inputs import KEY_INPUT
from comfydeploy.mapping import Job, JobHeld, MapItem, grid

one_colour = pytest.mark.parametrize("calls", ["blocking"], indirect=True)


@pytest.fixture(scope="module")
def server():
    with Emulator(pace=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr("comfydeploy._mapping.followed._FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._drivers.maps.in_work._LOOK", 0.02)


@pytest.fixture
def jobs(server):
    request = {"deployment_id": server.deployments["picture"], "inputs": {"width": 16, "height": 16}}
    return grid(request, {"seed": range(6)})


@pytest.fixture
def run(calls, core, map_name):
    """Carry out the map of the test and return its items."""
    function = module.run_map_async if calls.awaited else module.run_map

    def carried_out(jobs, meanwhile=None, **named):
        items = function(core, jobs, name=map_name, **named)
        try:
            first = calls.items(items, 1) if meanwhile else []
            if meanwhile:
                meanwhile()
            return first + calls.items(items)
        finally:
            calls.run(items.aclose()) if calls.awaited else items.close()

    return carried_out


@pytest.fixture
def core(calls, server):
    return calls.core(server.url, bearer=server.bearer)


@pytest.fixture
def is_complete(server, map_name):
    """Check that items are those of all jobs, each with the one run of its job."""

    def check(items):
        runs = [run.id for run in server.runs if run.workflow_inputs.get(KEY_INPUT, "").startswith(f"{map_name}/")]
        assert all(isinstance(item.result, Success) for item in items)
        assert sorted(item.index for item in items) == [*range(6)]
        return sorted(runs) == sorted(item.run_id for item in items)

    return check


def test_a_map_is_resumed(run, jobs, database, is_complete, tmp_path):
    for _ in range(2):
        assert is_complete(run(jobs, journal=database, to=tmp_path / "{seed}{suffix}"))


@one_colour
def test_maps_at_the_same_time_share_the_work(run, jobs, database, is_complete):
    found = []
    threads = [threading.Thread(target=lambda: found.append(run(jobs, journal=database, at_once=2))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [is_complete(items) for items in found] == [True, True, True]


def test_a_server_that_restarts_loses_nothing(run, jobs, postgres_server, is_complete):
    items = run(jobs, journal=postgres_server.address, at_once=2, meanwhile=postgres_server.restart)
    assert is_complete(items)


@one_colour
class TestALostJournal:
    def test_is_adopted(self, run, jobs, database, is_complete, lost):
        found = lost(database)
        assert len(found.unwrap().runs) == 6
        assert "already: start run_map with it, or give another name" in lost(database).failure().message
        assert is_complete(run(jobs, journal=database))

    @pytest.fixture
    def lost(self, core, run, jobs, map_name, tmp_path):
        """Adopt the runs of the map of the test."""
        run(jobs, journal=tmp_path / "j")
        place = {"deployment_id": jobs[0]["deployment_id"], "since": datetime(2020, 1, 1, tzinfo=UTC), "settle": 0}
        return lambda journal: run_map_adopt(core, journal, name=map_name, **place)


def test_the_client_has_it(server, jobs, database, map_name, is_complete):
    with (
        ComfyDeploy(bearer=server.bearer, server_url=server.url) as client,
        client.run.map(jobs, name=map_name, journal=database) as items,
    ):
        assert is_complete(list(items))


@one_colour
class TestAStep:
    def test_brings_a_job_to_its_end(self, core, jobs, database, map_name):
        for request in (jobs[0], None):
            step = map_step(core, database, "k", request=request, name=map_name).unwrap()
            assert (step.key, step.result.unwrap().status) == ("k", "success")

    def test_takes_over_from_a_dead_process(self, core, jobs, database, map_name):
        journal = Postgres(database, map_name, 300.0)
        job = read_job(0, Job("k", jobs[0]))
        (row,) = journal.add([journal_entry(job, None)])
        journal.carry_out([Claim(row.id, f"{journal.session}1", 1.0, None, 0.0)])
        assert map_step(core, database, "k", name=map_name) == Success(JobHeld("k"))
        journal._session._connection.close()
        while not isinstance(step := map_step(core, database, "k", name=map_name).unwrap(), MapItem):
            with psycopg.connect(database) as connection:  # in place of ten seconds
                connection.execute(f"UPDATE {schema_of(map_name)}.sessions SET missing = missing - interval '5 s'")
        assert step.result.unwrap().status == "success"
        journal.close()


def test_an_error_is_the_last_item(run, jobs):
    (item,) = run(jobs, journal=f"postgresql://me:{PASSWORD}@127.0.0.1:1/db")
    assert item.index == -1
    assert "postgresql://me:[redacted]@127.0.0.1:1/db cannot be used: " in item.result.failure().message
    shown = TracebackException.from_exception(item.result.failure(), capture_locals=True)
    assert PASSWORD not in repr(item) + "".join(shown.format())
