"""Maps with lost journals: their runs are found and not billed twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from comfydeploy import ComfyDeployCore, Failure, Success
from comfydeploy._drivers import steps
from comfydeploy._mapping.markers import Marker, Markers
from comfydeploy.client import ComfyDeploy
from comfydeploy.emulator import Emulator, Fails
from comfydeploy.errors import SDKError, SDKValidationError
from comfydeploy.funcs.run_map import run_map
from comfydeploy.funcs.run_map_adopt import run_map_adopt, run_map_adopt_async
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.mapping import Job, grid

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared():
    with Emulator(pace=0) as server, ComfyDeployCore(bearer=server.bearer, server_url=server.url) as core:
        yield server, core


@pytest.fixture
def server(shared):
    server, _ = shared
    server.clear_faults()
    return server


@pytest.fixture
def core(shared):
    return shared[1]


@pytest.fixture
def adopted(server, core, tmp_path, request):
    """Adopt the map with the name of the test into a new journal."""

    def adopt(**changes):
        arguments = {"name": name(request), "since": SINCE, "settle": 0, **place(server), **changes}
        return run_map_adopt(core, arguments.pop("journal", tmp_path / "new.sqlite"), **arguments)

    return adopt


def name(request):
    return request.node.name.partition("[")[0][-40:]


def place(server, deployment="picture"):
    return {"deployment_id": server.deployments[deployment]}


def mapped(core, jobs, journal, **options):
    with run_map(core, jobs, journal=journal, **options) as items:
        return sorted(items, key=lambda item: item.index)


def test_no_run_is_paid_again(server, core, tmp_path, adopted, request):
    jobs = grid(place(server), {"prompt": ["a cat", "a dog"], "seed": range(3)})
    paid = {item.key: item.run_id for item in mapped(core, jobs, tmp_path / "lost.sqlite", name=name(request))}
    found = adopted().unwrap()
    assert (found.runs, found.listed, found.twins, found.others) == (paid, True, [], 0)
    before = len(server.runs)
    items = mapped(
        core, [*jobs, *grid(place(server), {"seed": [7]})], tmp_path / "new.sqlite", to=tmp_path / "{key}.png"
    )
    assert {item.key: item.run_id for item in items[:-1]} == paid
    assert all(isinstance(item.result, Success) for item in items)
    assert [path.exists() for item in items for path in item.saved] == [True] * 7
    assert len(server.runs) == before + 1
    assert mapped(core, jobs, tmp_path / "new.sqlite")[0].run_id == paid["0"]


def test_the_last_attempt_is_taken(server, core, tmp_path, adopted, request):
    server.script("picture", Fails(), times=1)
    (item,) = mapped(core, [Job("a/b", place(server))], tmp_path / "lost.sqlite", name=name(request), attempts=2)
    assert adopted().unwrap().runs == {"a/b": item.run_id}
    (again,) = mapped(core, [Job("a/b", place(server))], tmp_path / "new.sqlite")
    assert (again.attempt, again.run_id) == (2, item.run_id)


def test_a_run_of_other_inputs_is_not_used(server, core, tmp_path, adopted, request):
    mapped(core, grid(place(server), {"seed": [1, 2]}), tmp_path / "lost.sqlite", name=name(request))
    adopted().unwrap()
    before = len(server.runs)
    items = mapped(core, grid(place(server), {"seed": [2, 2]}), tmp_path / "new.sqlite")
    assert [type(item.result) for item in items] == [Failure, Success]
    assert "another request for this key" in items[0].result.failure().message
    assert len(server.runs) == before


def test_files_among_inputs_are_unchanged(server, core, tmp_path, adopted, request):
    jobs = [{**place(server), "inputs": {"image": ("a.png", b"picture"), "images": [("b.png", b"1")], "seed": 1}}]
    mapped(core, jobs, tmp_path / "lost.sqlite", name=name(request), check=False)
    adopted().unwrap()
    before = len(server.runs)
    (item,) = mapped(core, jobs, tmp_path / "new.sqlite", check=False)
    assert isinstance(item.result, Success), item
    assert len(server.runs) == before


def test_the_newest_journal_is_taken(server, core, tmp_path, adopted, request):
    for seed in range(2):
        mapped(core, grid(place(server), {"seed": [seed]}), tmp_path / f"{seed}.sqlite", name=name(request))
    found = adopted().unwrap()
    assert found.others == 1
    assert found.runs == {"0": server.runs[-1].id}


def test_twins_are_reported(server, core, adopted, request):
    marker = Markers(name(request), "journal").of("k", 1)
    ids = [run_queue(core, {**place(server), "inputs": {"comfydeploy_key": marker}}).unwrap().run_id for _ in range(2)]
    found = adopted().unwrap()
    assert found.runs == {"k": ids[0]}
    assert found.twins == [("k", tuple(ids))]


def test_late_attempt_is_not_the_last(server, core, adopted, request):
    markers = Markers(name(request), "journal")
    ids = [
        run_queue(core, {**place(server), "inputs": {"comfydeploy_key": markers.of("k", attempt)}}).unwrap().run_id
        for attempt in (2, 1)
    ]
    assert adopted().unwrap().runs == {"k": ids[0]}


def test_without_runs_nothing_is_written(server, core, tmp_path, adopted, request):
    run_queue(core, {**place(server), "inputs": {"comfydeploy_key": f"{name(request)}/no-marker"}}).unwrap()
    assert adopted().unwrap().runs == {}
    assert not (tmp_path / "new.sqlite").exists()


def test_it_waits_for_what_was_sent_last(server, core, tmp_path, adopted, request):
    slept = []

    def carried_out(core, options, action):
        if hasattr(action, "seconds") and not hasattr(action, "operation"):
            slept.append(action.seconds)
            return None
        return plain(core, options, action)

    plain = steps.carry_out
    mapped(core, [place(server)], tmp_path / "lost.sqlite", name=name(request))
    with patch.object(steps, "carry_out", carried_out):
        assert len(adopted(settle=360).unwrap().runs) == 1
    assert slept == [360]
    server.fail("runs_list", status=401)
    assert adopted(settle=360, journal=tmp_path / "2.sqlite").failure().status_code == 401


def test_async_and_facade_do_the_same(server, core, tmp_path, request):
    mapped(core, [place(server)], tmp_path / "lost.sqlite", name=name(request))
    arguments = {"name": name(request), "since": SINCE, "settle": 0, **place(server)}
    with ComfyDeploy(bearer=server.bearer, server_url=server.url) as client:
        runs = client.run.map_adopt(tmp_path / "1.sqlite", **arguments).runs

    async def adopt():
        async with ComfyDeployCore(bearer=server.bearer, server_url=server.url) as own:
            assert (await run_map_adopt_async(own, tmp_path / "2.sqlite", **arguments)).unwrap().runs == runs
        async with ComfyDeploy(bearer=server.bearer, server_url=server.url) as client:
            return await client.run.map_adopt_async(tmp_path / "3.sqlite", **arguments)

    assert asyncio.run(adopt()).runs == runs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a/b"}, "without a slash"),
        ({"name": None}, "name: expected the name of the map"),
        ({"since": datetime(2020, 1, 1)}, "since: expected an aware datetime"),  # noqa: DTZ001 - naive on purpose
        ({"settle": -1}, "settle: expected seconds"),
        ({"settle": True}, "settle: expected seconds"),
        ({"workflow_id": "w"}, "expected one of workflow_id, deployment_id"),
    ],
)
def test_wrong_arguments_are_named(adopted, changes, message):
    error = adopted(**changes).failure()
    assert isinstance(error, SDKValidationError)
    assert message in error.message


def test_wrong_journals_are_named(server, core, tmp_path, adopted, request):
    arguments = {"name": "n", "since": SINCE, "settle": 0, **place(server)}
    assert "expected the path of a file" in run_map_adopt(core, None, **arguments).failure().message
    (tmp_path / "new.sqlite").write_text("x")
    assert "is there already" in adopted().failure().message
    mapped(core, [place(server)], tmp_path / "lost.sqlite", name=name(request))
    arguments["name"] = name(request)
    error = run_map_adopt(core, tmp_path / "no" / "folder.sqlite", **arguments).failure()
    assert "cannot be used" in error.message


def test_errors_of_the_server_are_returned(server, adopted):
    assert isinstance(adopted(deployment_id="00000000-0000-0000-0000-000000000000").failure(), SDKError)
    server.fail("runs_list", status=401)
    assert adopted().failure().status_code == 401


def test_runs_before_since_are_not_found(server, core, tmp_path, adopted, request):
    mapped(core, [place(server)], tmp_path / "lost.sqlite", name=name(request))
    assert adopted(since=datetime.now(UTC) + timedelta(minutes=5)).unwrap().runs == {}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("n/j/k/1", ("n", "j", "k", 1)),
        ("n/j/a/b/12", ("n", "j", "a/b", 12)),
        *[(text, None) for text in ("", "n/j/k", "n/j//1", "/j/k/1", "n/j/k/0", "n/j/k/x", "n/j/k/-1", "n/j/k/\u0661")],
    ],
)
def test_markers_are_parsed(text, parts):
    assert Marker.parsed(text) == parts
    if parts:
        assert Markers("n", "j").of(*parts[2:]) == text
