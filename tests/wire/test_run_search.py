"""The search for runs by their keys, against a simulated service: its requests, its end, its result."""

from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_service import BEGINNING, LISTS, LOST, Service

from comfydeploy._wire.keys import KEY_INPUT
from comfydeploy._wire.run_search import SearchScope, finding
from comfydeploy.errors import ConnectionError, SDKError, SDKValidationError
from comfydeploy.models import FoundRuns

DAY = 86_400


def runs(count, start=0.0, step=-1.0, keys=None):
    """Return runs, newest first."""
    keys = keys or {}
    return [(start + index * step, f"r{index}", {KEY_INPUT: keys.get(index, "other")}) for index in range(count)]


def find(service, keys="k", *, deadline=None, since=None, cache=None, **place):
    place = SearchScope(**(place or {"workflow_id": "w"}))
    return service.run(partial(finding, lists=LISTS, keys=keys, place=place, since=since, cache=cache), deadline)


def found_ids(result):
    return [run.id for run in result.unwrap().runs]


def test_several_keys_are_found_oldest_first():
    service = Service(*runs(50, keys={3: "a", 27: "b", 45: "a"}))
    assert found_ids(find(service, ["a", "b", "c"])) == ["r45", "r27", "r3"]
    assert service.offsets == [0, 20, 40]


@given(st.sets(st.integers(0, 70)), st.integers(0, 70))
def test_every_run_of_key_is_found(marked, count):
    service = Service(*runs(count, keys=dict.fromkeys(marked, "k")))
    assert find(service).unwrap().listed is (count > 0)
    assert found_ids(find(service)) == [f"r{index}" for index in sorted(marked, reverse=True) if index < count]


def test_one_key_may_be_text():
    assert found_ids(find(Service(*runs(3, keys={0: "cat", 1: "c", 2: "a"})), "cat")) == ["r0"]


@pytest.mark.parametrize(("count", "offsets"), [(19, [0]), (20, [0, 20]), (21, [0, 20])])
def test_page_that_is_not_full_is_last(count, offsets):
    service = Service(*runs(count))
    assert find(service).unwrap() == FoundRuns([], listed=True)
    assert service.offsets == offsets


def test_foreign_workflow_lists_nothing():
    assert find(Service(workflow="mine"), workflow_id="theirs").unwrap() == FoundRuns([], listed=False)


def test_day_before_newest_run_is_end():
    service = Service(*runs(3, start=-1e6), *runs(1, start=-1e6 - DAY + 1, keys={0: "k"}))
    assert found_ids(find(service)) == ["r0"]
    service = Service(*runs(3, start=-1e6), *runs(1, start=-1e6 - DAY - 1, keys={0: "k"}))
    assert found_ids(find(service)) == []


def test_since_saves_pages():
    service = Service(*runs(100, keys={5: "k", 60: "k"}))
    assert found_ids(find(service, since=BEGINNING + timedelta(seconds=-10))) == ["r5"]
    assert service.offsets == [0]


def test_run_at_since_is_found():
    service = Service(*runs(3, keys={1: "k"}))
    assert found_ids(find(service, since=BEGINNING + timedelta(seconds=-1))) == ["r1"]
    assert found_ids(find(service, since=BEGINNING + timedelta(seconds=-0.9))) == []


def test_time_without_seconds_may_be_minute_later():
    # 3:03:00 in place of 3:03:42
    whole = (datetime(2026, 11, 25, 3, 3, tzinfo=UTC) - BEGINNING).total_seconds()
    service = Service((whole, "r", {KEY_INPUT: "k"}))
    assert found_ids(find(service, since=BEGINNING - timedelta(seconds=24))) == ["r"]
    assert found_ids(find(service, since=BEGINNING + timedelta(seconds=1))) == []


@pytest.mark.parametrize("part", [timedelta(seconds=42), timedelta(microseconds=1)])
def test_time_with_seconds_is_exact(part):
    created = datetime(2026, 11, 25, 3, 3, tzinfo=UTC) + part
    service = Service(((created - BEGINNING).total_seconds(), "r", {KEY_INPUT: "k"}))
    assert found_ids(find(service, since=created)) == ["r"]
    assert found_ids(find(service, since=created + timedelta(microseconds=1))) == []


def test_row_without_time_does_not_end_look():
    service = Service((None, "r0", None), (-2e5, "old", {KEY_INPUT: "k"}))
    service.runs = [(0, "new", {}), (None, "r0", None), (-5, "r1", {KEY_INPUT: "k"})]
    assert found_ids(find(service)) == ["r1"]
    assert found_ids(find(Service((None, "r0", {KEY_INPUT: "k"})))) == ["r0"]


def test_runs_that_move_rows_are_found_once():
    service = Service(*runs(60, keys={19: "k", 39: "k"}))
    listed = service._rows

    def moving(argument):
        page = listed(argument)
        service.runs.append((service.now, f"new{len(service.runs)}", {}))
        return page

    service._rows = moving
    assert found_ids(find(service)) == ["r39", "r19"]


def test_server_that_ignores_offset_is_failure():
    service = Service(*runs(60))
    listed = service._rows
    service._rows = lambda argument: listed({**argument, "offset": 0})
    error = find(service).failure()
    assert isinstance(error, SDKValidationError)
    assert error.message == "The server sent the same page twice: it ignores the offset"
    assert (error.fate, error.problems, error.raw_value) == ("answered", (), [f"r{index}" for index in range(20)])
    assert service.offsets == [0, 20]


@pytest.mark.parametrize(
    ("place", "first"), [({"deployment_id": "d"}, "deployment"), ({"workflow_version_id": "v"}, "version")]
)
def test_workflow_is_looked_up_once_with_cache(place, first):
    service, cache = Service(*runs(1, keys={0: "k"})), {}
    assert found_ids(find(service, cache=cache, **place)) == found_ids(find(service, cache=cache, **place)) == ["r0"]
    assert service.names == [first, "rows", "rows"]
    assert list(cache.values()) == ["w"]


def test_deployment_without_workflow_is_failure():
    service = Service(workflow=None)
    error = find(service, deployment_id="d").failure()
    assert isinstance(error, SDKValidationError)
    assert error.fate == "answered"
    assert "names no workflow" in error.message


def test_version_is_read_by_its_id():
    service = Service()
    find(service, workflow_version_id="v")
    read = service.sent[0][1]
    request = read.operation.encode(read.argument)
    assert (request.method, request.url, read.operation.creates) == ("GET", "/workflow-version/v", "nothing")
    assert read.seconds == 30.0


@pytest.mark.parametrize("route", ["deployment", "version", "rows"])
def test_transient_errors_are_retried(route):
    service = Service(*runs(1, keys={0: "k"}))
    service.broken = {route: [LOST, SDKError("busy", 503), SDKError("slow", 429, headers={"retry-after": "7"})]}
    place = {"version": {"workflow_version_id": "v"}}.get(route, {"deployment_id": "d"})
    assert found_ids(find(service, **place)) == ["r0"]
    assert service.slept == [0.25, 0.375, 7.0]


def test_unknown_deployment_is_not_retried():
    service = Service()
    service.broken = {"deployment": [SDKError("no", 500)]}
    assert find(service, deployment_id="d").failure().status_code == 500
    assert service.names == ["deployment"]


def test_list_that_fails_for_minute_is_failure():
    service = Service(dice=0.5)
    service.broken = {"rows": [LOST] * 99}
    assert find(service).failure() is LOST
    assert 50 < service.now <= 60
    service = Service()
    service.broken = {"rows": [SDKError("busy", 503, headers={"retry-after": "20"})] * 99}
    assert find(service).failure().status_code == 503
    assert service.slept == [20.0, 20.0]


def test_permanent_error_is_failure_at_once():
    service = Service()
    service.broken = {"rows": [SDKError("no", 403)]}
    assert find(service).failure().status_code == 403
    assert service.slept == []


def test_deadline_ends_look():
    service = Service(latency=1.0)
    service.broken = {"rows": [LOST] * 99}
    assert isinstance(find(service, deadline=10).failure(), ConnectionError)
    assert service.now <= 10
    assert service.sent[-1][1].seconds <= 10


ONE_OF = "expected one of workflow_id, deployment_id, workflow_version_id, got"
STRANGE = [
    ({"keys": []}, "keys: expected at least one key"),
    ({"keys": 5}, "keys: expected a key or several, got int"),
    ({"keys": b"k"}, "keys: expected a key or several, got bytes"),
    ({"keys": ["k", ""]}, "keys[1]: expected "),
    ({"keys": ["k", 5]}, "keys[1]: expected "),
    ({"since": datetime(2026, 1, 1)}, "since: expected an aware datetime, got datetime"),  # noqa: DTZ001 - without a zone
    ({"since": 5}, "since: expected an aware datetime, got int"),
    ({"since": SimpleNamespace(tzinfo=UTC, timestamp=1.0)}, "since: expected an aware datetime, got SimpleNamespace"),
    ({"cache": []}, "cache: expected a mapping that can be changed, got list"),
    ({"workflow_id": None}, f"workflow_id: {ONE_OF} none"),
    ({"workflow_id": "w", "deployment_id": "d"}, f"workflow_id: {ONE_OF} workflow_id and deployment_id"),
    (
        {"workflow_version_id": "v", "deployment_id": "d"},
        f"workflow_id: {ONE_OF} deployment_id and workflow_version_id",
    ),
    ({"workflow_id": ""}, "workflow_id: expected an id, got str"),
    ({"deployment_id": 5}, "deployment_id: expected an id, got int"),
    ({"workflow_version_id": 5}, "workflow_version_id: expected an id, got int"),
]


@pytest.mark.parametrize(("given_arguments", "message"), STRANGE)
def test_wrong_arguments_send_nothing(given_arguments, message):
    service = Service()
    with pytest.raises(SDKValidationError) as caught:
        find(service, **given_arguments)
    assert caught.value.message.startswith(message)
    assert caught.value.problems[0].path == f"$.{message.partition(':')[0]}"
    assert service.sent == []
