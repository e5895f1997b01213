"""Maps on the local server: their items, their cost, and how they are resumed."""

import asyncio
import contextlib
import json
import sqlite3
import sys
import threading
import time
import weakref
from itertools import count
from types import MappingProxyType, SimpleNamespace

import httpx
import pytest
import trio

from comfydeploy import ComfyDeployCore, RequestOptions, Success, errors
from comfydeploy.emulator import Emulator, Fails
from comfydeploy.funcs import run_map as module
from comfydeploy.inputs import KEY_INPUT
from comfydeploy.mapping import Job, JobUnresolved, grid
from comfydeploy.models import DeploymentRunRequest
from comfydeploy.outcome import DeadlineExceeded, DownloadIncomplete, RunFailed

one_colour = pytest.mark.parametrize("calls", ["blocking"], indirect=True)
SHORT = {"post_limit": 10, "grace": 1}
"""Limits that no request meets; jobs in doubt wait for them on a clock that is ``FASTER``."""

FASTER = 50


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Shorten the pauses that a local server does not need."""
    monkeypatch.setattr("comfydeploy._mapping.listing.FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._mapping.schedule._FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._mapping.protocol.FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._mapping.followed._FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._drivers.maps.in_work._LOOK", 0.02)


@pytest.fixture
def fast_clock(monkeypatch):
    """Let jobs go by a clock that is faster than that of requests."""
    monkeypatch.setattr("comfydeploy._drivers.maps.work.monotonic", lambda: FASTER * time.monotonic())


@pytest.fixture(scope="module")
def server():
    with Emulator(pace=0) as running:
        yield running


@pytest.fixture
def service(server):
    server.clear_faults()
    server.clear_requests()
    before = len(server.runs)
    return SimpleNamespace(
        url=server.url,
        bearer=server.bearer,
        deployments=server.deployments,
        fail=server.fail,
        script=server.script,
        requests=lambda name: [one for one in server.requests if one.operation == name],
        runs=lambda: server.runs[before:],
        markers=lambda: [run.workflow_inputs[KEY_INPUT] for run in server.runs[before:]],
    )


@pytest.fixture
def core(calls, service):
    return calls.core(service.url, bearer=service.bearer)


@pytest.fixture
def picture(service):
    return {"deployment_id": service.deployments["picture"], "inputs": {"width": 16, "height": 16}}


@pytest.fixture
def made(calls, core):
    """Create a map, blocking or async as the test, read all of it and close it."""

    def run(jobs, *options, **named):
        return items_of(calls, start(calls, core, jobs, *options, **named))

    return run


def start(calls, core, jobs, *options, **named):
    function = module.run_map_async if calls.awaited else module.run_map
    return function(core, jobs, *options, **named)


def items_of(calls, items, count=None):
    try:
        return calls.items(items, count)
    finally:
        close(calls, items)


def close(calls, items):
    if calls.awaited:
        calls.run(items.aclose())
    else:
        items.close()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def errors_of(items):
    return [item.result.failure() for item in items if not isinstance(item.result, Success)]


class TestAMap:
    def test_all_jobs_run_once_and_are_saved(self, made, service, picture, tmp_path):
        jobs = grid(picture, {"prompt": ["a cat", "a dog"], "seed": [1, 2]})
        items = made(jobs, name="animals", to=tmp_path / "{prompt}-{seed}{suffix}")
        names = ["a cat-1.png", "a cat-2.png", "a dog-1.png", "a dog-2.png"]
        assert names_in(tmp_path) == names
        for item in items:
            assert item.result.unwrap().id == item.run_id
            assert (item.attempt, item.request, item.key) == (1, jobs[item.index], str(item.index))
            assert item.saved == [tmp_path / names[item.index]]
        assert {one.split("/")[0] for one in service.markers()} == {"animals"}
        assert sorted(one.split("/")[2:] for one in service.markers()) == [[str(n), "1"] for n in range(4)]

    def test_items_come_in_order(self, calls, core, picture):
        items = start(calls, core, grid(picture, {"seed": range(5)}), at_once=2)
        found = calls.items(items.in_order())
        close(calls, items)
        assert [item.index for item in found] == [0, 1, 2, 3, 4]

    def test_gaps_are_left_at_the_end(self, calls, core, picture, tmp_path):
        jobs = [Job(key, picture) for key in "ab"]
        items_of(calls, start(calls, core, jobs[1:], journal=tmp_path / "j"))
        items = start(calls, core, jobs, journal=tmp_path / "j", max_runs=1)
        assert [item.index for item in calls.items(items.in_order())] == [1]

    def test_models_and_keys(self, made, service, picture):
        request = DeploymentRunRequest(deployment_id=picture["deployment_id"])
        (item,) = made([Job("cat/1", request)])
        assert (item.key, item.request) == ("cat/1", request)
        assert service.markers()[0].endswith("/cat/1/1")

    def test_files_are_uploaded(self, made, service):
        order = {"deployment_id": service.deployments["picture"], "inputs": {"picture": ("a.png", b"picture")}}
        assert not errors_of(made([order], check=False))
        assert "/inputs/" in service.runs()[0].workflow_inputs["picture"]

    def test_runs_are_followed_by_lists(self, made, service, picture):
        assert len(made(grid(picture, {"seed": range(12)}))) == 12
        assert service.requests("workflow_runs")
        assert len(service.requests("run_get")) <= 13

    def test_endless_jobs(self, calls, core, service, picture):
        jobs = ({**picture, "inputs": {"seed": seed}} for seed in count())
        items = items_of(calls, start(calls, core, jobs, at_once=3), 7)
        assert len({item.index for item in items}) == 7
        assert len(service.runs()) < 60

    def test_no_jobs(self, made):
        assert made([]) == made(iter([])) == []


@one_colour
class TestFailures:
    def test_one_failure_stops_nothing(self, made, service):
        service.script("picture", Fails())
        jobs = [{"deployment_id": service.deployments["picture"]}] * 3
        items = made(jobs)
        (error,) = errors_of(items)
        assert isinstance(error, RunFailed)
        assert len(items) == 3

    def test_failed_runs_are_repeated(self, made, service, picture):
        service.script("picture", Fails(), times=2)
        (item,) = made([picture], attempts=3)
        assert (item.attempt, item.run_id) == (3, item.result.unwrap().id)
        assert [one.rpartition("/")[2] for one in service.markers()] == ["1", "2", "3"]

    def test_wrong_jobs_cost_nothing(self, made, service, picture):
        wrong = {**picture, "inputs": {"promt": "a cat"}}
        jobs = [picture, wrong, {}, 3, Job("", picture), {**picture, "batch_number": 2}]
        jobs += [{**picture, "inputs": {KEY_INPUT: "k"}}, {"deployment_id": ""}, {**picture, "inputs": {"seed": {1}}}]
        for given in (jobs, iter(jobs)):
            items = made(given)
            assert [item.index for item in items if isinstance(item.result, Success)] == [0]
            assert {type(error) for error in errors_of(items)} == {errors.SDKValidationError}
            assert len(items) == len(jobs)
        assert len(service.runs()) == 2

    def test_sequence_is_checked_before_paying(self, made, service, picture):
        wrong = {**picture, "inputs": {"promt": "a cat"}}
        items = made([picture] * 3 + [wrong])
        assert (items[0].index, "did you mean" in str(errors_of(items)[0])) == (3, True)

    def test_keys_and_names_are_unique(self, made, picture, tmp_path):
        jobs = [Job("a", picture), Job("a", picture), Job("b", picture)]
        (first, second) = errors_of(made(jobs, to=tmp_path / "{width}{suffix}", journal=tmp_path / "j"))
        assert "another job has this key" in str(first)
        assert "would have the same file names" in str(second)
        (error,) = errors_of(made(iter(jobs), to=tmp_path / "{width}{suffix}", journal=tmp_path / "k"))
        assert "would have the same file names" in str(error)

    def test_an_iterator_that_raises(self, made, picture):
        def jobs():
            yield picture
            raise LookupError("no more")

        good, bad = made(jobs())
        assert good.result.unwrap()
        assert (bad.index, type(bad.result.failure().__cause__)) == (-1, LookupError)

    def test_refusal_is_tried_again_by_a_rerun(self, made, service, picture, tmp_path):
        service.fail("run_queue", times=1, status=403, body={"detail": "no credit"})
        (error,) = errors_of(made([picture], journal=tmp_path / "j"))
        assert error.status_code == 403
        assert made([picture], journal=tmp_path / "j")[0].result.unwrap()
        assert len(service.runs()) == 1

    def test_a_deployment_that_is_unknown(self, made, service):
        (error,) = errors_of(made([{"deployment_id": "00000000-0000-4000-8000-000000000000"}]))
        assert error.status_code == 500
        assert not service.runs()

    def test_max_runs(self, made, service, picture, tmp_path):
        jobs = grid(picture, {"seed": range(6)})
        assert len(made(jobs, journal=tmp_path / "j", max_runs=2, at_once=1)) == 2
        assert len(made(iter(jobs), journal=tmp_path / "j", max_runs=2)) == 2
        assert len(made(jobs, journal=tmp_path / "j", max_runs=5)) == 5
        assert len(service.runs()) == 5
        assert len(made(({**picture} for _ in count()), max_runs=2, at_once=1)) == 2

    def test_a_deadline_is_for_each_job(self, made, service, picture, tmp_path):
        (error,) = errors_of(made([picture], RequestOptions(deadline=1e-9), journal=tmp_path / "j"))
        assert isinstance(error, errors.RequestTimeoutError)
        assert not service.runs()

    def test_a_late_run_is_left_to_a_rerun(self, calls, picture, tmp_path):
        with Emulator(clock="manual", cold_start=5) as slow:
            core = calls.core(slow.url, bearer=slow.bearer)
            job = {"deployment_id": slow.deployments["picture"]}
            named = {"journal": tmp_path / "j"}
            late = items_of(calls, start(calls, core, [job], RequestOptions(deadline=1.2), **named))
            assert isinstance(errors_of(late)[0], DeadlineExceeded)
            slow.advance(60)
            (item,) = items_of(calls, start(calls, core, [job], **named))
            assert item.result.unwrap().id == late[0].run_id
            assert len(slow.runs) == 1


class TestDoubt:
    @pytest.mark.parametrize("fault", [{"reset": True}, {"status": 500}, {"status": 503}, {"garbage": b"x"}])
    def test_an_executed_request_is_found(self, made, service, picture, fault):
        service.fail("run_queue", times=2, execute=True, **fault)
        items = made(grid(picture, {"seed": range(3)}))
        assert not errors_of(items)
        assert len(set(service.markers())) == len(service.runs()) == 3

    def test_request_not_executed_is_sent_again(self, made, service, picture, fast_clock):
        service.fail("run_queue", times=1, status=503)
        items = made(grid(picture, {"seed": range(2)}), **SHORT)
        assert not errors_of(items)
        assert len(set(service.markers())) == len(service.runs()) == 2

    def test_never_sent_again(self, made, service, picture, tmp_path, fast_clock):
        service.fail("run_queue", times=1, reset=True)
        named = {"resend": "never", "journal": tmp_path / "j", **SHORT}
        for _ in range(2):
            items = made(grid(picture, {"seed": range(2)}), **named)
            (error,) = errors_of(items)
            assert isinstance(error, JobUnresolved)
            assert (error.fate, "same journal" in str(error)) == ("unknown", True)
        assert len(service.runs()) == 1

    def test_list_without_own_run_proves_nothing(self, made, service, picture, fast_clock):
        service.fail("run_queue", times=1, reset=True)
        (error,) = errors_of(made([picture], **SHORT))
        assert "no run of this map" in error.hint
        assert not service.runs()

    def test_a_connection_refused_is_tried_again(self, calls, picture):
        tries = []

        def answer(request):
            path = request.url.path
            if path.endswith("/queue"):
                tries.append(request)
                if len(tries) < 3:
                    raise httpx.ConnectError("refused")
                return httpx.Response(200, json={"run_id": "r"})
            if "/v2/" in path:
                return httpx.Response(200, json=[{"id": "r", "status": "success"}])
            if "/run/" in path:
                return httpx.Response(200, json={"id": "r", "status": "success"})
            return httpx.Response(200, json={"id": "d", "workflow_id": "w"} if "deployment" in path else [])

        core = calls.core(transport=httpx.MockTransport(answer))
        (item,) = items_of(calls, start(calls, core, [{"deployment_id": "d"}]))
        assert (item.run_id, len(tries)) == ("r", 3)

    def test_twins_are_reported(self, calls, picture):
        sent = []

        def answer(request):
            path = request.url.path
            if path.endswith("/queue"):
                sent.append(json.loads(request.content)["inputs"])
                return httpx.Response(500, text="broken")
            if path.endswith("/workflow/w/runs") and sent:
                rows = [{"id": one, "status": "success", "workflow_inputs": sent[0]} for one in "ba"]
                return httpx.Response(200, json=rows)
            if "/run/" in path:
                return httpx.Response(200, json={"id": "a", "status": "success"})
            return httpx.Response(200, json={"id": "d", "workflow_id": "w"} if "deployment" in path else [])

        core = calls.core(transport=httpx.MockTransport(answer))
        items = start(calls, core, [{"deployment_id": "d"}])
        assert items.twins == []
        assert [item.run_id for item in items_of(calls, items)] == ["a"]
        assert items.twins == [("0", ("a", "b"))]

    def test_looks_are_shared(self, calls, fast_clock):
        core = answering(calls, {"queue": httpx.Response(500, text="broken")})
        items = items_of(calls, start(calls, core, [{"deployment_id": "d"}] * 4, check=False, **SHORT))
        assert {type(error) for error in errors_of(items)} == {JobUnresolved}


@one_colour
class TestAJournal:
    def test_a_rerun_costs_nothing(self, made, service, picture, tmp_path):
        service.script("picture", Fails())
        jobs = grid(picture, {"seed": range(4)})
        named = {"journal": tmp_path / "j", "to": tmp_path / "out"}
        first, second = made(jobs, **named), made(iter(jobs), **named)
        assert len(service.runs()) == 4
        assert names_in(tmp_path / "out") == sorted(item.saved[0].name for item in first if item.saved)
        (failed,), (again,) = errors_of(first), errors_of(second)
        assert (again.message, again.traceback, again.run) == (failed.message, failed.traceback, failed.run)
        kept = {item.index: (item.run_id, item.attempt, item.saved, item.key) for item in first}
        assert {item.index: (item.run_id, item.attempt, item.saved, item.key) for item in second} == kept

    def test_more_attempts_and_files_by_a_rerun(self, made, service, picture, tmp_path):
        service.script("picture", Fails())
        jobs = grid(picture, {"seed": range(2)})
        assert len(errors_of(made(jobs, journal=tmp_path / "j"))) == 1
        items = made(jobs, journal=tmp_path / "j", attempts=2, to=tmp_path / "{seed}{suffix}")
        assert not errors_of(items)
        assert sorted(item.attempt for item in items) == [1, 2]
        assert all(item.saved[0].exists() for item in items)
        assert len(service.runs()) == 3

    def test_more_jobs_by_a_rerun(self, made, service, picture, tmp_path):
        one, two = (Job(key, {**picture, "inputs": {"seed": seed}}) for key, seed in (("a", 1), ("b", 2)))
        made([one], journal=tmp_path / "j")
        items = made([two, one], journal=tmp_path / "j")
        assert {item.index: item.key for item in items} == {0: "b", 1: "a"}
        assert len(service.runs()) == 2

    def test_other_requests_are_noticed(self, made, service, picture, tmp_path):
        made([picture], journal=tmp_path / "j")
        for jobs in ([{**picture, "inputs": {"seed": 9}}], iter([{**picture, "inputs": {"seed": 9}}])):
            (error,) = errors_of(made(jobs, journal=tmp_path / "j"))
            assert "another request for this key" in str(error)
        assert len(service.runs()) == 1

    def test_a_missing_file_is_fetched_by_a_rerun(self, made, service, picture, tmp_path):
        service.fail("output_file", times=6, status=404)
        named = {"journal": tmp_path / "j", "to": tmp_path / "out"}
        (error,) = errors_of(made([picture], **named))
        assert isinstance(error, DownloadIncomplete)
        assert names_in(tmp_path / "out") == []
        (item,) = made([picture], **named)
        assert item.saved[0].exists()
        assert len(service.runs()) == 1

    def test_what_an_earlier_claim_left_is_removed(self, made, service, picture, tmp_path):
        service.fail("output_file", times=6, status=404)
        named = {"journal": tmp_path / "j", "to": tmp_path / "out"}
        made([picture], **named)
        left = tmp_path / "out" / ".5feceb66ffc8-0000-0.part"  # of the key 0
        left.write_bytes(b"half")
        (item,) = made([picture], **named)
        assert [path.name for path in (tmp_path / "out").iterdir()] == [item.saved[0].name]

    def test_it_holds_no_secret(self, made, service, picture, tmp_path):
        job = {**picture, "webhook": "http://127.0.0.1:9/hook?webhook_token=proof"}
        job["inputs"] = {**picture["inputs"], "prompt": "as in https://host/a.png?X-Amz-Signature=signed here"}
        made([job], journal=tmp_path / "j")
        text = (tmp_path / "j").read_bytes()
        assert b"as in https://host/a.png here" in text
        for secret in (b"proof", b"signed", service.bearer.encode()):
            assert secret not in text
        assert made([job], journal=tmp_path / "j")[0].result.unwrap()

    def test_leaving_early_creates_no_more(self, calls, core, service, picture, tmp_path):
        jobs = grid(picture, {"seed": range(300)})
        items_of(calls, start(calls, core, jobs, journal=tmp_path / "j", at_once=2), 1)
        paid = len(service.runs())
        assert paid < 300
        assert items_of(calls, start(calls, core, jobs[:3], journal=tmp_path / "j"))
        assert len(set(service.markers())) == len(service.runs())
        connection = sqlite3.connect(tmp_path / "j")
        assert connection.execute("SELECT count(*) FROM jobs WHERE owner IS NOT NULL").fetchone() == (0,)
        connection.close()
        assert [path.name for path in tmp_path.iterdir()] == ["j"]

    def test_two_maps_share_the_work(self, calls, service, picture, tmp_path, monkeypatch):
        monkeypatch.setattr("comfydeploy._drivers.maps.feeding._CHUNK", 10)
        monkeypatch.setattr("comfydeploy._drivers.maps.in_work._MOST_HELD", 1)
        jobs = grid(picture, {"seed": range(30)})
        found = {}

        def run(number):
            own = ComfyDeployCore(bearer=service.bearer, server_url=service.url)
            with own, module.run_map(own, jobs, journal=tmp_path / "j", at_once=4) as items:
                found[number] = sorted(item.index for item in items if isinstance(item.result, Success))

        threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {0: [*range(30)], 1: [*range(30)]}
        assert len(set(service.markers())) == len(service.runs()) == 30


@one_colour
class TestArguments:
    @pytest.mark.parametrize(
        ("named", "said"),
        [
            ({"at_once": 0}, "at_once: expected an integer not below 1, got 0"),
            ({"attempts": True}, "attempts"),
            ({"max_runs": 0}, "max_runs"),
            ({"check": 1}, "check"),
            ({"resend": "always"}, "resend: expected 'after_grace' or 'never'"),
            ({"post_limit": 0}, "post_limit: expected seconds not below 0.1, got 0"),
            ({"grace": float("nan")}, "grace"),
            ({"name": "x" * 51}, "name"),
            ({"name": "a/b"}, "name: expected printable text without a slash"),
            ({"journal": 3}, "journal: expected the path of a file or the address of a database, got int"),
            ({"journal": "mysql://me:word@host/db"}, "journal: expected the path of a file, or postgresql://"),
            ({"journal": "/no/such/folder/j"}, "journal: /no/such/folder/j cannot be used: unable to open"),
            ({"to": 3}, "to: expected a pattern or a folder, got int"),
            ({"to": "a\0b"}, "to"),
            ({"to": "{seed.real}"}, "to: expected fields such as"),
            ({"to": "{seed"}, "to"),
            ({"options": 3}, "options"),
            ({"options": RequestOptions(deadline=0)}, "options.deadline"),
        ],
    )
    def test_a_wrong_one_is_named(self, calls, core, picture, named, said):
        (item,) = items_of(calls, start(calls, core, [picture], **named))
        assert item.index == -1
        assert said in item.result.failure().message

    @pytest.mark.parametrize("jobs", [None, "abc", {"deployment_id": "d"}, 7])
    def test_jobs_are_several(self, made, jobs):
        assert "jobs: expected several requests" in errors_of(made(jobs))[0].message

    def test_no_core(self, calls, picture):
        (item,) = items_of(calls, start(calls, None, [picture]))
        assert "ComfyDeployCore" in item.result.failure().message


class TestColours:
    def test_a_blocking_map_inside_a_running_loop(self, service, picture):
        async def main():
            core = ComfyDeployCore(bearer=service.bearer, server_url=service.url)
            with core, module.run_map(core, [picture]) as items:
                return [item.result.unwrap() for item in items]

        assert len(asyncio.run(main())) == 1

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    def test_jobs_that_end_the_program(self, kind):
        def jobs():
            raise kind
            yield

        with module.run_map(ComfyDeployCore(bearer="k"), jobs()) as items, pytest.raises(kind):
            next(items)

    def test_threads_share_the_items(self, monkeypatch):
        items, both = module.run_map(ComfyDeployCore(bearer="k"), []), threading.Event()
        inside, batches = [], [[1, 2], [3]]

        def batch():
            inside.append(1)
            found = batches[0] if batches else []
            (both.set if len(inside) > 1 else lambda: both.wait(0.05))()
            del inside[:], batches[:1]
            return found

        monkeypatch.setattr(items._loop, "batch", batch)
        found = []
        threads = [threading.Thread(target=lambda: found.extend(items)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(found) == [1, 2, 3]

    def test_a_core_with_blocking_parts_only(self, service, picture, server):
        core = ComfyDeployCore(bearer=lambda: service.bearer, server_url=service.url, transport=server.transport)
        with core, module.run_map(core, [picture]) as items:
            assert next(items).result.unwrap()

    def test_a_core_with_async_parts_only(self, service, picture, server):
        async def bearer():
            return service.bearer

        async def main():
            core = ComfyDeployCore(bearer=bearer, server_url=service.url)
            async with core, module.run_map_async(core, [picture]) as items:
                return await anext(items)

        assert asyncio.run(main()).result.unwrap()

    def test_another_event_loop_is_a_failure(self, picture):
        async def main():
            async with module.run_map_async(ComfyDeployCore(bearer="k"), [picture]) as items:
                return [item async for item in items]

        (item,) = trio.run(main)
        assert item.index == -1

    def test_a_cancelled_read_loses_nothing(self, service, picture):
        async def main():
            core = ComfyDeployCore(bearer=service.bearer, server_url=service.url)
            async with core, module.run_map_async(core, grid(picture, {"seed": range(3)})) as items:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(anext(items), 0)
                return [item async for item in items]

        assert len(asyncio.run(main())) == 3

    def test_a_map_that_is_dropped_ends(self, calls, core, service, picture):
        items = start(calls, core, grid(picture, {"seed": range(2000)}), at_once=1)
        calls.items(items, 1) if calls.awaited else next(items)
        main = weakref.ref(items._engine)()._main
        del items
        done = threading.Event()
        if calls.awaited:
            calls.run(asyncio.wait([main]))
        else:
            main.get_loop().call_soon_threadsafe(main.add_done_callback, lambda _: done.set())
            assert done.wait(20)
        assert main.done()

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
    def test_a_map_in_a_fork_is_a_failure(self, service, picture):
        core = ComfyDeployCore(bearer=service.bearer, server_url=service.url)
        with core, module.run_map(core, grid(picture, {"seed": range(3)})) as items:
            loop = items._loop
            next(items)
            loop._process += 1  # as in a child
            items._items.clear()
            assert "fork" in next(items).result.failure().message
            items.close()
            loop._process -= 1

    def test_memory_errors_pass(self, calls, core):
        def jobs():
            raise MemoryError
            yield

        items = start(calls, core, jobs())
        with pytest.raises(MemoryError):
            calls.items(items)
        close(calls, items)


def answering(calls, answers, **others):
    """Create a core whose server answers by the last part of the path; other paths are an empty list."""
    usual = {"d": {"id": "d", "workflow_id": "w"}, "r": {"id": "r", "status": "success"}, "queue": {"run_id": "r"}}

    def answer(request):
        path = request.url.path
        last = "rows" if "/v2/" in path else path.rpartition("/")[2]
        found = (usual | {"rows": [usual["r"]]} | answers).get(last, [])
        found = found.pop(0) if isinstance(found, list) and found and callable(found[0]) else found
        if callable(found):
            found = found()
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    wire = httpx.MockTransport(answer)
    return calls.core(transport=wire, **others)


@one_colour
class TestPlaces:
    def run(self, calls, answers, job=MappingProxyType({"deployment_id": "d"}), **named):
        core = answering(calls, answers)
        return items_of(calls, start(calls, core, [job], **named))

    def test_a_list_that_cannot_be_read(self, calls):
        (error,) = errors_of(self.run(calls, {"runs": httpx.Response(403, json={})}))
        assert error.status_code == 403

    def test_a_newest_run_without_a_time(self, calls):
        rows = [{"id": "x", "status": "success"}]
        assert self.run(calls, {"runs": rows})[0].result.unwrap()

    def test_a_deployment_that_cannot_be_read(self, calls):
        for check in (True, False):
            (error,) = errors_of(self.run(calls, {"d": httpx.Response(403, json={})}, check=check))
            assert (error.status_code, error.fate) == (403, "answered")

    def test_a_deployment_that_is_read_later(self, calls, monkeypatch):
        monkeypatch.setattr("comfydeploy._wire.polling.FIRST", 0.01)
        known = httpx.Response(200, json={"id": "d", "workflow_id": "w"})
        answers = [lambda: httpx.Response(503), lambda: httpx.Response(429), *[lambda: known] * 2]
        assert self.run(calls, {"d": answers})[0].result.unwrap()

    def test_all_jobs_wait_once_for_a_deployment(self, calls, monkeypatch):
        monkeypatch.setattr("comfydeploy._drivers.maps.places._READING", 0.02)
        monkeypatch.setattr("comfydeploy._wire.polling.FIRST", 0.015)
        core, received = answering(calls, {"d": lambda: received.append(1) or httpx.Response(503)}), []
        items = items_of(calls, start(calls, core, [{"deployment_id": "d"}] * 3))
        assert [error.status_code for error in errors_of(items)] == [503] * 3
        assert len(received) <= 4

    def test_an_upload_that_fails(self, calls):
        job = {"deployment_id": "d", "inputs": {"image": ("a.png", b"x")}}
        (error,) = errors_of(self.run(calls, {"upload": httpx.Response(400, json={"detail": "no"})}, job, check=False))
        assert (error.status_code, error.fate) == (400, "not_sent")

    def test_a_workflow_and_its_version(self, calls):
        version = {"workflow_id": "w"}
        assert self.run(calls, {"v": version}, {"workflow_version_id": "v", "machine_id": "m"})[0].result.unwrap()
        assert self.run(calls, {}, {"workflow_id": "w", "workflow_api_json": {"1": {}}})[0].result.unwrap()

    def test_inputs_that_change_after_the_check(self, calls):
        types = [{"input_id": "seed", "type": "integer"}]
        known = {"id": "d", "workflow_id": "w", "input_types": types}
        job = {"deployment_id": "d", "inputs": {"prompt": "a cat"}}
        assert "no such input" in str(errors_of(self.run(calls, {"d": known}, job))[0])

    def test_a_doubt_whose_place_cannot_be_read(self, calls, tmp_path, fast_clock):
        broken = httpx.Response(500, text="broken")
        named = {"journal": tmp_path / "j", "resend": "never", **SHORT}
        assert errors_of(self.run(calls, {"queue": broken}, **named))
        (error,) = errors_of(self.run(calls, {"d": httpx.Response(403, json={})}, check=False, **named))
        assert (type(error), "status 403" in error.hint) == (JobUnresolved, True)

    def test_a_request_that_is_late_is_not_sent(self, calls, core, picture, service, monkeypatch):
        """A process that stands still between the note and the request."""
        clock = count(step=400)
        monkeypatch.setattr("comfydeploy._drivers.maps.work.monotonic", lambda: next(clock))
        (error,) = errors_of(items_of(calls, start(calls, core, [picture], check=False)))
        assert (error.fate, "passed before it was sent" in str(error)) == ("not_sent", True)
        assert service.requests("run_queue") == []

    def test_a_run_that_no_list_shows(self, calls, monkeypatch):
        monkeypatch.setattr("comfydeploy._mapping.listing._VISIBLE", 0.0)
        assert self.run(calls, {"rows": []})[0].result.unwrap()


@one_colour
class TestTheEnd:
    def test_a_journal_that_fails_ends_the_map(self, calls, core, picture, tmp_path, monkeypatch):
        def fail(*_):
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr("comfydeploy._mapping.sqlite.Sqlite.carry_out", fail)
        items = items_of(calls, start(calls, core, grid(picture, {"seed": range(3)}), journal=tmp_path / "j"))
        error = items[-1].result.failure()
        assert (items[-1].index, "database or disk is full" in error.message) == (-1, True)
        assert isinstance(error.__cause__, sqlite3.Error)

    def test_a_name_that_is_taken_by_a_folder(self, calls, core, picture, tmp_path, monkeypatch):
        (tmp_path / "0.png").mkdir()
        (error,) = errors_of(items_of(calls, start(calls, core, [picture], to=tmp_path)))
        assert isinstance(error, DownloadIncomplete)
        assert names_in(tmp_path) == ["0.png"]

    def test_an_interrupted_read_loses_nothing(self, calls, core, picture, monkeypatch):
        from concurrent.futures import Future

        with module.run_map(core, grid(picture, {"seed": range(3)})) as items:
            result, interrupts = Future.result, [1]

            def interrupted(self, timeout=None):
                if interrupts.pop() if interrupts else False:
                    raise KeyboardInterrupt
                return result(self, timeout)

            monkeypatch.setattr(Future, "result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                next(items)
            assert len(list(items)) == 3
            assert list(items) == []

    def test_leaving_waits_for_requests_on_their_way(self, calls, picture, tmp_path):
        begun, going = threading.Event(), threading.Event()

        def queued():
            begun.set()
            going.wait(5)
            return {"run_id": "r"}

        core = answering(calls, {"queue": queued})
        items = start(calls, core, [{"deployment_id": "d"}] * 2, journal=tmp_path / "j", at_once=1)
        reading = threading.Thread(target=lambda: list(items))
        reading.start()
        assert begun.wait(20)
        closing = threading.Thread(target=items.close)
        closing.start()
        going.set()
        for thread in (closing, reading):
            thread.join(20)
            assert not thread.is_alive()
        database = sqlite3.connect(tmp_path / "j")
        assert database.execute("SELECT run_id, owner FROM jobs ORDER BY id").fetchall() == [("r", None), (None, None)]
        database.close()

    def test_leaving_abandons_slow_requests(self, calls, tmp_path, monkeypatch):
        monkeypatch.setattr("comfydeploy._drivers.maps.engine._PATIENCE", 0.05)
        begun, going = threading.Event(), threading.Event()

        def queued():
            begun.set()
            going.wait(20)
            return {"run_id": "r"}

        core = answering(calls, {"queue": queued})
        items = start(calls, core, [{"deployment_id": "d"}], journal=tmp_path / "j")
        reading = threading.Thread(target=lambda: list(items))
        reading.start()
        assert begun.wait(20)
        items.close()
        reading.join(20)
        assert not reading.is_alive()
        database = sqlite3.connect(tmp_path / "j")
        assert database.execute("SELECT state, tried_at IS NOT NULL FROM jobs").fetchall() == [("trying", 1)]
        database.close()
        going.set()

    def test_leases_are_renewed(self, calls, tmp_path, monkeypatch):
        monkeypatch.setattr("comfydeploy._mapping.journal.RENEWAL", 0.001)
        renewed = threading.Event()
        monkeypatch.setattr("comfydeploy._mapping.journal.Memory.renew", lambda *_: renewed.set())
        core = answering(calls, {"queue": lambda: renewed.wait(20) and {"run_id": "r"}})
        assert items_of(calls, start(calls, core, [{"deployment_id": "d"}]))[0].result.unwrap()

    def test_without_a_turn_nothing_is_sent(self, calls):
        """A map that is left while a job waits for its turn."""
        tries = []

        def queued():
            tries.append(1)
            return httpx.Response(503, headers={"retry-after": "60"})

        core = answering(calls, {"queue": queued})
        items = start(calls, core, ({"deployment_id": "d"} for _ in count()), at_once=2, check=False)
        reading = threading.Thread(target=lambda: list(items))
        reading.start()
        while not tries:
            threading.Event().wait(0.01)
        items.close()
        reading.join(20)
        assert len(tries) <= 4

    def test_closing_twice_and_cancelled(self, calls, service, picture):
        async def main():
            core = ComfyDeployCore(bearer=service.bearer, server_url=service.url)
            async with core:
                items = module.run_map_async(core, grid(picture, {"seed": range(50)}), at_once=1)
                await items.aclose()
                assert await anext(items, None) is None
                items = module.run_map_async(core, grid(picture, {"seed": range(50)}), at_once=1)
                await anext(items)
                closing = asyncio.create_task(items.aclose())
                await asyncio.sleep(0)
                closing.cancel()
                with pytest.raises(asyncio.CancelledError):  # after the end, so that a time limit or a group sees it
                    await closing
                assert items._engine._main.done()

        asyncio.run(main())
