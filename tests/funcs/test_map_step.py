"""One step of a map: a job of a journal, brought as far as it can be by any process."""

import asyncio
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import trio

from comfydeploy import ComfyDeployCore, Failure, RequestOptions, Success
from comfydeploy._drivers.maps import workers
from comfydeploy._drivers.maps.workers import StepJob
from comfydeploy._mapping.jobs import journal_entry, read_job
from comfydeploy._mapping.opening import write_journal
from comfydeploy._mapping.rows import Claim, Row
from comfydeploy._mapping.settings import Arguments
from comfydeploy._mapping.sqlite import Sqlite
from comfydeploy.funcs import map_step as module
from comfydeploy.mapping import Job, JobHeld, JobUnresolved, MapItem, MaxRunsReached
from comfydeploy.outcome import RunFailed

REQUEST = {"deployment_id": "d", "inputs": {"prompt": "a cat"}}
SIGNED = {"deployment_id": "d", "inputs": {"image": "https://host/cat.png?signature=s"}}


class Service:
    """A server that counts its runs. ``ends`` has the statuses of their ends; each is listed ``copies`` times."""

    def __init__(self):
        self.posted = []
        self.requests = []
        self.ends = ["success"]
        self.answer = None
        self.copies = 1
        self.deployment = {"id": "d", "workflow_id": "w"}

    def __call__(self, request):
        path = request.url.path
        self.requests.append(path)
        if path.endswith("/queue"):
            self.posted.append(json.loads(request.content)["inputs"])
            return self.answer or httpx.Response(200, json={"run_id": f"r{len(self.posted)}"})
        if "/deployment/" in path:
            return httpx.Response(200, json=self.deployment)
        if "/run/" in path:
            return httpx.Response(200, json=self.run(int(path[-1])))
        numbers = range(len(self.posted) * self.copies, 0, -1)
        return httpx.Response(200, json=[self.run(number) for number in numbers])

    def run(self, number):
        end = self.ends[min(number, len(self.ends)) - 1]
        return {"id": f"r{number}", "status": end, "workflow_inputs": self.posted[(number - 1) // self.copies]}


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr("comfydeploy._mapping.listing.FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._mapping.protocol.FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._mapping.followed._FIRST", 0.01)


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def core(calls, service):
    return calls.core(transport=httpx.MockTransport(service))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "map.sqlite"


@pytest.fixture
def step(calls, core, path):
    def call(key="k", *options, **named):
        return calls("map_step", core, path, key, *options, **named)

    return call


def opened(path):
    return closing(Sqlite(str(path), None, 300.0))


def add(path, key, request):
    with opened(path) as journal:
        journal.add([journal_entry(read_job(0, Job(key, request)), None)])


def failed(result):
    assert isinstance(result, Failure), result
    return result.failure().message


class TestAJob:
    def test_runs_once_and_is_known_afterwards(self, step, service, path):
        item = step(request=REQUEST).unwrap()
        assert (item.index, item.key, item.run_id, item.attempt) == (0, "k", "r1", 1)
        assert item.request is REQUEST
        count = len(service.requests)
        again = step().unwrap()
        assert (again.run_id, again.request, again.result.unwrap().id) == ("r1", REQUEST, "r1")
        assert len(service.requests) == count
        assert [one.name for one in path.parent.iterdir()] == [path.name]

    def test_request_is_read_from_the_journal(self, step, service, path):
        add(path, "k", REQUEST)
        assert step().unwrap().result.unwrap().id == "r1"
        assert service.posted[0]["prompt"] == "a cat"

    def test_another_attempt_after_a_failed_run(self, step, service):
        service.ends = ["failed", "success"]
        assert isinstance(step(request=REQUEST).unwrap().result.failure(), RunFailed)
        assert isinstance(step(attempts=2).unwrap().result, Success)
        assert len(service.posted) == 2

    def test_of_another_owner_is_left_alone(self, step, service, path):
        add(path, "k", REQUEST)
        with opened(path) as other:
            (known,) = other.find(["k"])
            assert other.carry_out([Claim(known.row.id, f"{other.session}1", 0.0, None, 0.0)])
            assert step() == Success(JobHeld("k"))
            assert service.posted == []
        assert isinstance(step().unwrap(), MapItem)

    def test_no_more_runs(self, step, service):
        assert isinstance(step("a", request=REQUEST, max_runs=1).unwrap(), MapItem)
        assert step("b", request=REQUEST, max_runs=1) == Success(MaxRunsReached("b"))
        assert len(service.posted) == 1

    def test_doubt_lasts_until_the_deadline(self, step, service):
        service.answer, service.copies = httpx.Response(500, text="broken"), 0
        item = step("k", RequestOptions(deadline=0.5), request=REQUEST).unwrap()
        assert isinstance(item.result.failure(), JobUnresolved)
        service.copies = 1
        assert step().unwrap().run_id == "r1"
        assert len(service.posted) == 1

    def test_twins_are_in_the_item(self, step, service):
        service.answer, service.copies = httpx.Response(500, text="broken"), 2
        assert step(request=REQUEST).unwrap().twins == ("r1", "r2")


class TestARequestThatIsNotKept:
    @pytest.mark.parametrize("inputs", [SIGNED["inputs"], {"image": Path("cat.png")}, {"image": ("f.png", b"x")}])
    def test_has_to_be_passed(self, step, service, path, inputs):
        add(path, "k", {"deployment_id": "d", "inputs": inputs})
        error = step().unwrap().result.failure()
        assert "pass the request of the job" in error.message
        assert service.posted == []

    def test_is_sent_as_it_was_passed(self, step, service, path):
        add(path, "k", SIGNED)
        assert isinstance(step(request=SIGNED).unwrap().result, Success)
        assert service.posted[0]["image"] == SIGNED["inputs"]["image"]
        assert step().unwrap().run_id == "r1"

    def test_is_not_needed_where_a_run_exists(self, step, service):
        service.answer, service.copies = httpx.Response(500, text="broken"), 0
        while not service.posted:  # the deadline may pass before
            step("k", RequestOptions(deadline=0.05), request=SIGNED)
        service.copies = 1
        assert isinstance(step().unwrap().result, Success)

    def test_of_an_adopted_run_is_unknown(self, step, path):
        row = Row(1, "k", "created", tried_at=0.0, run_id="r1")
        write_journal(str(path), "map", "u", [(row, '{"inputs":{}}')])
        assert "the journal has only the inputs of job 'k'" in failed(step())


class TestAFailure:
    def test_unknown_job(self, step, path):
        add(path, "another", REQUEST)
        assert "the journal has no job 'k': pass its request" in failed(step())

    def test_missing_journal_is_not_created(self, step, path):
        assert "there is no file" in failed(step())
        assert not path.exists()

    @pytest.mark.parametrize(
        ("named", "said"),
        [
            ({"request": {"inputs": {}}}, "request"),
            ({"request": {**REQUEST, "inputs": {"a": 1}}}, "another request for this key"),
            ({"key": ""}, "key: expected 1 to 100 characters"),
            ({"key": 3}, "key"),
            ({"attempts": 0}, "attempts"),
            ({"name": "other"}, "is the journal of the map 'map'"),
        ],
    )
    def test_wrong_argument_is_named(self, step, service, path, named, said):
        add(path, "k", REQUEST)
        assert said in failed(step(**named))
        assert service.posted == []

    def test_journal_has_to_be_a_file(self, calls, core):
        assert "journal: expected the path of a file" in failed(calls("map_step", core, None, "k"))

    def test_deployment_that_has_no_such_input(self, step, service):
        service.deployment["input_types"] = [{"type": "ComfyUIDeployExternalText", "input_id": "prompt"}]
        assert "did you mean 'prompt'?" in failed(step(request={"deployment_id": "d", "inputs": {"promt": "a"}}))
        assert isinstance(step(request=REQUEST).unwrap().result, Success)

    def test_memory_errors_pass(self, step, monkeypatch):
        monkeypatch.setattr("comfydeploy._drivers.maps.stepping._reached", _raising(MemoryError()))
        with pytest.raises(MemoryError):
            step(request=REQUEST)

    def test_exception_of_a_signal_handler(self, step, monkeypatch):
        monkeypatch.setattr("comfydeploy._drivers.maps.stepping._reached", _raising(LookupError("time is over")))
        assert failed(step(request=REQUEST)) == "LookupError: time is over"

    def test_another_event_loop(self, path):
        core = ComfyDeployCore(bearer="k")
        assert isinstance(trio.run(lambda: module.map_step_async(core, path, "k", request=REQUEST)), Failure)


def _raising(error):
    def fail(*_):
        raise error

    return fail


def test_callers_at_the_same_time_share_the_jobs(service, path):
    core = ComfyDeployCore(bearer="k", server_url="http://h", transport=httpx.MockTransport(service))
    keys = ["a", "b", "c"] * 4
    with core, ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda key: module.map_step(core, path, key, request=REQUEST).unwrap(), keys))
    assert {type(one) for one in found} <= {MapItem, JobHeld}
    assert sorted(one.key for one in found) == sorted(keys)
    assert len(service.posted) == 3


def test_async_steps_share_a_loop(service, path):
    core = ComfyDeployCore(bearer="k", server_url="http://h", async_transport=httpx.MockTransport(service))

    async def main():
        async with core:
            steps = [module.map_step_async(core, path, key, request=REQUEST) for key in "abc"]
            return [result.unwrap().key for result in await asyncio.gather(*steps)]

    assert asyncio.run(main()) == ["a", "b", "c"]
    assert len(service.posted) == 3


def test_function_and_its_arguments_pickle():
    core = ComfyDeployCore(bearer="k", server_url="http://h")
    order = (module.map_step, core, Job("k", REQUEST), RequestOptions(deadline=5))
    assert pickle.loads(pickle.dumps(order))[0] is module.map_step


class TestAWorker:
    def test_has_one_core_for_each_of_the_last_maps(self, monkeypatch):
        monkeypatch.setattr(workers, "_cores", {})
        cores = [ComfyDeployCore(bearer=name) for name in "123456"]
        shared = [workers.shared_core(core, StepJob("k", map=name)) for core, name in zip(cores, "aabcde", strict=True)]
        assert [cores.index(core) for core in shared] == [0, 0, 2, 3, 4, 5]
        assert list(workers._cores) == ["b", "c", "d", "e"]

    def test_of_another_journal_does_nothing(self, service, path):
        core = ComfyDeployCore(bearer="k", server_url="http://h", transport=httpx.MockTransport(service))
        add(path, "k", REQUEST)
        with core:
            result = module.worker_step(core, Arguments(journal=path), StepJob("k", REQUEST, "uuid"))
        assert "expected the journal of the map, which all workers must reach" in failed(result)
        assert service.requests == []

    def test_without_the_journal_creates_none(self, path):
        with ComfyDeployCore(bearer="k") as core:
            result = module.worker_step(core, Arguments(journal=path), StepJob("k", REQUEST, "uuid"))
        assert "there is no file" in failed(result)
        assert not path.exists()
