"""Maps whose jobs are carried out by the workers of an executor of the caller."""

import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from comfydeploy import ComfyDeploy, Failure, RequestOptions, Success
from comfydeploy._mapping.jobs import journal_entry, read_job
from comfydeploy._mapping.rows import Claim
from comfydeploy._mapping.sqlite import Sqlite
from comfydeploy.emulator import Emulator
from comfydeploy.errors import SDKValidationError
from comfydeploy.funcs import run_map as module
from comfydeploy.mapping import Job, JobHeld, MapItem, MaxRunsReached, grid
from comfydeploy.models import WorkflowRunModel

REQUEST = {"deployment_id": "d"}
RUN = WorkflowRunModel(id="r", status="success")


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr("comfydeploy._mapping.listing.FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._mapping.followed._FIRST", 0.01)
    monkeypatch.setattr("comfydeploy._drivers.maps.in_work._LOOK", 0.02)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "map.sqlite"


class Answering(Executor):
    """Answers each step at once with the next answer: a value, an exception or a function of the job."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.steps = []

    def submit(self, function, /, *arguments):
        future = Future()
        if function is int:  # which starts the workers
            return future
        self.steps.append(arguments)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        elif answer == "cancelled":
            future.cancel()
            future.set_running_or_notify_cancel()
        elif answer is not None:
            future.set_result(answer(arguments[2]) if callable(answer) else answer)
        return future


def ended(job, **named):
    return Success(MapItem(0, job.key, {}, "r", 1, [], Success(RUN), **named))


@pytest.fixture
def mapped(calls, path):
    """Run a map on an executor and return its items, and the map."""
    core = calls.core(transport=httpx.MockTransport(lambda _: httpx.Response(404, json={})))

    def run(executor, jobs=(REQUEST,), count=None, **named):
        function = module.run_map_async if calls.awaited else module.run_map
        items = function(core, jobs, check=False, executor=executor, **({"journal": path} | named))
        try:
            return calls.items(items, count), items
        finally:
            calls.close_stream(items) if calls.awaited else items.close()

    return run


class TestItems:
    def test_are_those_of_the_steps(self, mapped):
        jobs = [Job("a", REQUEST), Job("b", REQUEST)]
        items, _ = mapped(Answering(ended), jobs)
        assert [(item.index, item.key, item.request is REQUEST) for item in items] == [(0, "a", True), (1, "b", True)]

    def test_twins_are_reported(self, mapped):
        _, items = mapped(Answering(lambda job: ended(job, twins=("r", "s"))))
        assert items.twins == [("0", ("r", "s"))]

    def test_failed_step_is_an_item_and_others_go_on(self, mapped):
        wrong = SDKValidationError("journal: another one")
        (first, second), _ = mapped(Answering(Failure(wrong), ended), [REQUEST, REQUEST])
        assert first.result.failure() is wrong
        assert isinstance(second.result, Success)

    @pytest.mark.parametrize("lost", [LookupError("worker"), KeyboardInterrupt()])
    def test_lost_step_is_an_item(self, mapped, lost):
        (first, second), _ = mapped(Answering(lost, ended), [REQUEST, REQUEST])
        error = first.result.failure()
        assert (first.index, error.fate, error.__cause__) == (0, "unknown", lost)
        assert f"executor: no result of the job ({type(lost).__name__}" in error.message
        assert isinstance(second.result, Success)

    def test_held_job_is_tried_again(self, mapped):
        executor = Answering(lambda job: Success(JobHeld(job.key)), ended)
        (item,), _ = mapped(executor)
        assert isinstance(item.result, Success)
        assert len(executor.steps) == 2

    def test_jobs_after_max_runs_yield_nothing(self, mapped):
        executor = Answering(ended, lambda job: Success(MaxRunsReached(job.key)))
        items, _ = mapped(executor, [REQUEST] * 5, at_once=1, max_runs=1)
        assert [item.index for item in items] == [0]
        assert len(executor.steps) == 3  # the last one was waiting for room


class TestAnEnd:
    @pytest.mark.parametrize("answer", [BrokenExecutor("a worker died"), "cancelled"])
    def test_of_the_executor_ends_the_map(self, mapped, answer):
        items, _ = mapped(Answering(ended, answer), [REQUEST] * 3, at_once=1)
        assert [item.index for item in items] == [0, -1]
        assert "Start the map again with a new executor" in items[1].result.failure().message

    def test_pool_that_breaks_keeps_other_futures(self, mapped):
        """A pool of CPython 3.11 hangs where one is cancelled meanwhile."""
        executor = Answering(None, BrokenExecutor("a worker died"))
        futures = []
        submit = executor.submit
        executor.submit = lambda *given: futures.append(submit(*given)) or futures[-1]
        items, _ = mapped(executor, [REQUEST] * 2)
        assert [item.index for item in items] == [-1]
        assert [future.cancelled() for future in futures] == [False] * 3

    def test_before_the_first_job(self, mapped):
        executor = ThreadPoolExecutor(1)
        executor.shutdown()
        (item,), _ = mapped(executor)
        assert item.index == -1
        assert "cannot schedule new futures after shutdown" in item.result.failure().message

    def test_of_the_map_cancels_the_steps_that_wait(self, mapped):
        executor = Answering(ended, None)
        futures = []
        submit = executor.submit
        executor.submit = lambda *given: futures.append(submit(*given)) or futures[-1]
        items, _ = mapped(executor, [REQUEST] * 3, 1)
        assert [item.index for item in items] == [0]
        assert [future.cancelled() for future in futures[1:]] == [False, True, True]

    def test_of_a_journal_that_another_process_has(self, mapped, path):
        """The job is not given to the executor while it is in work elsewhere."""
        executor = Answering(ended)
        with closing(Sqlite(str(path), None, 300.0)) as other:
            (row,) = other.add([journal_entry(read_job(0, REQUEST), None)])
            other.carry_out([Claim(row.id, f"{other.session}1", 0.0, None, 0.0)])
            timer = threading.Timer(0.05, other.close)
            timer.start()
            (item,), _ = mapped(executor)
            timer.join()
        assert isinstance(item.result, Success)


class TestAStep:
    def test_has_the_settings_of_the_map(self, mapped, path, tmp_path, monkeypatch):
        folder = tmp_path / "{x}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        executor = Answering(ended)
        options = RequestOptions(deadline=9)
        named = {"attempts": 2, "max_runs": 7, "resend": "never", "post_limit": 8, "grace": 3, "name": "night"}
        mapped(executor, journal=Path("j"), to=Path("out"), options=options, **named)
        ((_, given, job),) = executor.steps
        assert (given.journal, given.to) == (str(folder / "j"), f"{tmp_path}/{{{{x}}}}/out")
        assert (given.check, given.executor, given.options) == (False, None, options)
        assert {name: getattr(given, name) for name in named} == named
        with closing(Sqlite("j", None, 300.0)) as journal:
            assert (job.key, job.request, job.journal) == ("0", REQUEST, journal.uuid)

    def test_at_most_so_many_are_in_flight(self, mapped):
        executor = Counting(at_once=3)
        with executor:
            items, _ = mapped(executor, [REQUEST] * 20, at_once=3)
        assert len(items) == 20
        assert executor.most == 3


class Counting(ThreadPoolExecutor):
    """Counts the steps in flight."""

    def __init__(self, at_once):
        super().__init__(10)
        self.now = self.most = 0
        self.full = threading.Event()
        self.at_once = at_once

    def submit(self, function, /, *arguments):
        if function is int:
            return super().submit(function)
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now >= self.at_once:
            self.full.set()
        return super().submit(self.work, arguments[2])

    def work(self, job):
        self.full.wait(10)
        self.now -= 1
        return ended(job)


class TestArguments:
    def test_executor_needs_a_journal(self, mapped):
        (item,), _ = mapped(Answering(ended), journal=None)
        assert item.index == -1
        assert item.result.failure().message.startswith("executor: expected a journal beside it that all workers reach")

    def test_executor_is_one(self, mapped):
        (item,), _ = mapped(4)
        assert item.result.failure().message == "executor: expected a concurrent.futures.Executor, got int"


def test_threads_carry_out_a_map(path, tmp_path):
    with (
        Emulator(pace=0) as server,
        ComfyDeploy(bearer=server.bearer, server_url=server.url) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        request = {"deployment_id": server.deployments["picture"], "inputs": {"width": 16, "height": 16}}
        jobs = grid(request, {"seed": range(6)})
        with client.run.map(jobs, journal=path, to=tmp_path / "out", executor=threads) as items:
            found = list(items.in_order())
        assert [item.index for item in found] == [*range(6)]
        assert all(isinstance(item.result, Success) for item in found)
        assert [item.saved for item in found] == [[tmp_path / "out" / f"{key}.png"] for key in range(6)]
        assert len(server.runs) == 6
        with client.run.map(jobs, journal=path, to=tmp_path / "out") as items:
            assert [item.run_id for item in items.in_order()] == [item.run_id for item in found]
        step = client.map.step(path, "3")
        assert isinstance(step, MapItem)
        assert step.run_id == found[3].run_id
        assert len(server.runs) == 6
