"""The search of the store."""

from datetime import UTC, datetime, timedelta

import pytest

from comfydeploy._emulator.folder import Folder
from comfydeploy._emulator.runs.index import Criteria
from comfydeploy._emulator.runs.run import Run
from comfydeploy._emulator.runs.store import Store

MOMENT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def make(tmp_path):
    """Open a store, of which several may follow one another in a folder."""
    stores = []

    def opened(*, keeps=False, retention=None):
        for one in stores:
            one.close()
        stores.append(Store(Folder(tmp_path if keeps else None), retention))
        return stores[-1]

    yield opened
    stores[-1].close()


def run(number, status="success", **fields):
    usual = {
        "workflow_version_id": None,
        "workflow_inputs": {},
        "workflow_id": "w",
        "machine_id": "m",
        "origin": "api",
        "created_at": MOMENT + timedelta(minutes=number),
        "updated_at": MOMENT,
        "gpu_event_id": None,
        "gpu": "CPU",
        "modal_function_call_id": None,
        "webhook": None,
        "webhook_intermediate_status": False,
    }
    return Run(**(usual | {"id": f"run-{number}", "status": status} | fields))


def found(store, criteria=None, limit=100, offset=0):
    return [one.id for one in store.search(criteria or Criteria(), limit, offset)]


def test_pages_are_newest_first(make):
    store = make()
    for number in range(5):
        store.save(run(number))
    assert found(store, limit=2, offset=1) == ["run-3", "run-2"]
    assert found(store, offset=9) == []


def test_status_is_that_of_last_save(make):
    store = make()
    for status in ("not-started", "running", "failed"):
        store.save(run(1, status))
    store.save(run(2))
    assert store.statuses(Criteria()) == store.statuses(Criteria(status="failed")) == {"failed": 1, "success": 1}
    assert found(store, Criteria(status="failed")) == ["run-1"]
    assert found(store, Criteria(status="running")) == []


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("a", "QUIET"), 1),
        (("seed=7",), 1),
        (("stra\u00dfe",), 2),
        (("STRASSE",), 2),
        (("%",), 3),
        (("_'\"",), 3),
        (("run-2",), 2),
        (('{"deep":[1]}',), 4),
        (("nul", "after"), 4),
    ],
)
def test_all_words_are_in_inputs_or_id(make, words, number):
    store = make()
    store.save(run(1, workflow_inputs={"prompt": "A quiet cat", "seed": 7}))
    store.save(run(2, workflow_inputs={"prompt": "Stra\u00dfe"}))
    store.save(run(3, workflow_inputs={"100%_'\"": True}))
    store.save(run(4, workflow_inputs={"x": {"deep": [1]}, "y": "nul\0after"}))
    assert found(store, Criteria(words=words)) == [f"run-{number}"]


def test_word_that_is_nowhere_finds_nothing(make):
    store = make()
    store.save(run(1, workflow_inputs={"prompt": "a cat"}))
    assert found(store, Criteria(words=("a", "dog"))) == []
    assert found(store, Criteria(words=("\ud800",))) == []


def test_end_of_large_input_is_not_searched(make):
    store = make()
    store.save(run(1, workflow_inputs={"image": "data:image/png;base64," + "A" * 10_000 + "Z"}))
    assert found(store, Criteria(words=("base64",)))
    assert not found(store, Criteria(words=("z",)))


def test_deployment_has_runs_without_its_id(make):
    store = make()
    store.save(run(1, deployment_id="d"))
    store.save(run(2, deployment_id=None))
    store.save(run(3, deployment_id="other"))
    store.save(run(4, workflow_id="v"))
    assert found(store, Criteria(deployment=("d", "w"))) == ["run-2", "run-1"]


def test_times_are_from_first_to_before_last(make):
    store = make()
    for number in range(4):
        store.save(run(number))
    span = Criteria(since=MOMENT + timedelta(minutes=1), until=MOMENT + timedelta(minutes=3))
    assert found(store, span) == ["run-2", "run-1"]
    assert store.statuses(span) == {"success": 2}


def test_kept_runs_are_found_after_restart(make):
    store = make(keeps=True)
    store.save(run(1, workflow_inputs={"prompt": "a cat"}))
    store.save(run(2, "running"))
    store = make(keeps=True)
    assert found(store, Criteria(words=("cat",))) == ["run-1"]
    assert store.statuses(Criteria()) == {"success": 1, "cancelled": 1}
    store.save(run(3))
    assert found(store) == ["run-3", "run-2", "run-1"]


def test_runs_that_are_not_kept_are_not_found(make):
    store = make(retention=2)
    for number in range(4):
        store.save(run(number))
    assert found(store) == ["run-3", "run-2"]
    assert store.statuses(Criteria()) == {"success": 2}
