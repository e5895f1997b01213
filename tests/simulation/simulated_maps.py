"""Processes that carry out one map together, and are killed, alone or all with their machine.

The journal is the one without a file; a crash of the machine takes from it what was not durable.
"""

from collections import Counter
from datetime import UTC, datetime
from math import inf

from attrs import evolve
from simulated_calls import Calls, Core
from simulated_following import Runs
from simulated_network import LATEST
from simulated_server import WORKFLOW
from world import Fault

from comfydeploy._mapping.actions import Fetch, Follow, Leave, Look, Pause, Post, Prepare, Sighting, Terms, Turn
from comfydeploy._mapping.journal import Entry, Memory
from comfydeploy._mapping.markers import Markers
from comfydeploy._mapping.protocol import LEASE, begin, is_free
from comfydeploy._mapping.rows import DURABLE, Claim
from comfydeploy._mapping.schedule import Pacing
from comfydeploy._wire.keys import key_of
from comfydeploy._wire.run_search import PATIENCE, RunSearch
from comfydeploy._wire.settings import within
from comfydeploy.errors import RequestTimeoutError, SDKError
from comfydeploy.funcs import run_queue
from comfydeploy.funcs.run_find import LISTS
from comfydeploy.inputs import KEY_INPUT
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Success

POST_LIMIT = 5.0
# A request that is noted is sent within its limit.
TERMS = Terms(post_limit=POST_LIMIT, longest_post=POST_LIMIT, grace=LATEST)
ALL = datetime(1970, 1, 1, tzinfo=UTC)
CLAIMS = 3
"""How often a process claims a job."""

AT_MOST = 6
"""Processes, one after the other or at once."""


class SharedJournal(Memory):
    """The rows of all processes. ``durable`` is what a crash of the machine leaves."""

    def __init__(self):
        super().__init__("map", "journal", POST_LIMIT)
        self._durable = {}, 0

    def all_rows(self):
        return list(self._rows.values())

    def carry_out(self, steps):
        answers = super().carry_out(steps)
        if any(isinstance(step, DURABLE) for step in steps):
            self._durable = dict(self._rows), self._spent
        return answers

    def sync(self):
        self._durable = dict(self._rows), self._spent

    def crash(self):
        rows, self._spent = self._durable
        self._rows = dict(rows)


class Map:
    """The jobs of a map, and the processes that carry them out."""

    def __init__(self, world, server, network):
        choices = world.choices
        self.world, self.server, self.network = world, server, network
        self.journal = SharedJournal()
        jobs = 1 + choices.below(3)
        self.terms = evolve(
            TERMS,
            resend=choices.of(("after_grace", "after_grace", "never")),
            attempts=choices.of((1, 2)),
            max_runs=choices.of((None, None, 1, 2)),
        )
        self.journal.add([Entry(f"job-{index}", "d", "{}", None) for index in range(jobs)])
        self.journal.sync()
        self.processes = []

    def begin(self):
        """Begin with one or two processes."""
        for _ in range(1 + self.world.choices.below(2)):
            self.add_process()

    def add_process(self):
        if len(self.processes) < AT_MOST:
            self.processes.append(Process(self, len(self.processes)))

    def crash(self, *, loses):
        """Crash the machine, which loses what was not durable, or not."""
        self.world.note("the machine crashes%s", " and loses what was not durable" if loses else "")
        for process in self.processes:
            process.kill()
        if loses:
            self.journal.crash()
        self.add_process()

    def is_alive(self, owner):
        """Return whether an owner is alive, as far as another process knows."""
        process = self.processes[int(owner.partition("/")[0])]
        return None if process.is_remote else process.is_alive

    def check(self):
        """Check that no attempt has two runs, and that every run is known to the journal, or in doubt there."""
        found = {}
        for run in self.server.runs.values():
            if run.key is not None and run.key.startswith("map/"):
                found.setdefault(run.key, []).append(run.id)
        twice = {marker: ids for marker, ids in found.items() if len(ids) > 1}
        if twice:
            raise Fault("an attempt of a map creates two runs", str(twice))
        most = self.terms.max_runs
        if most is not None and len(found) > most:
            raise Fault("a map creates more runs than it may", f"{len(found)} of {most}")
        markers = Markers("map", "journal")
        for row in self.journal.all_rows():
            ids = found.get(markers.of(row.key, row.attempt), [])
            if row.run_id is not None and ids != [row.run_id]:
                raise Fault("a job has a run that is not its own", f"{row}: {ids}")
            if ids and row.run_id is None and row.tried_at is None:
                raise Fault("a map has a run that its journal does not know", f"{row}: {ids}")
            later = [
                marker for marker in found if int(marker.rpartition("/")[2]) > row.attempt and f"/{row.key}/" in marker
            ]
            if later:
                raise Fault("a map has a run that its journal does not know", f"{row}: {later}")


class Process:
    """A process of a map, which works on all jobs that are free. Of a remote one it is unknown whether it is alive."""

    def __init__(self, owner, number):
        self.world, self.map, self.number = owner.world, owner, number
        choices = self.world.choices
        self.is_alive = True
        self.is_remote = choices.one_in(2)
        self.calls = Calls(self.world, owner.network, Core())
        self.markers = Markers("map", "journal")
        self.pacing = Pacing()
        self._claims = 0
        self.runs = Runs(self.world, self.calls)
        self._following = self.world.spawn(self.runs.follow())
        self._tasks = [self.world.spawn(self._watch()), self._following]
        if choices.one_in(2):
            then = self.world.now + choices.of((0.01, 0.1, 1.0, 10.0, 60.0)) * choices.fraction()
            self.world.at(then, self._die, choices.below(4))

    def kill(self):
        self.is_alive = False
        for task in self._tasks:
            task.kill()

    def _die(self, way):
        if not self.is_alive or self._following.is_over:
            return
        if way < 2:
            self.world.note("process %d is killed", self.number)
            self.kill()
            self.map.add_process()
        else:
            self.map.crash(loses=way == 3)

    def _watch(self):
        """Work until there is no more to do, and end."""
        yield from self._claimed()
        while not all(task.is_over for task in self._tasks[2:]):
            yield 1.0
        self._following.kill()

    def _claimed(self):
        """Claim the jobs that are free, until all are done or it has tried often enough."""
        world, journal = self.world, self.map.journal
        tasks, claims, quits = {}, Counter(), world.now + 400.0
        while world.now < quits:
            is_done = True
            for row in journal.all_rows():
                if row.state == "done" or claims[row.id] == CLAIMS:
                    continue
                is_done = False
                alive = None if row.owner is None else self.map.is_alive(row.owner)
                # The clocks of two machines may differ: a lease may seem to have ended at any time.
                wall = 1e9 if world.choices.one_in(4) else 0.0
                is_at_work = row.id in tasks and not tasks[row.id].is_over
                if not is_at_work and is_free(row, is_alive=alive, wall=wall):
                    tasks[row.id] = world.spawn(self._work(row))
                    claims[row.id] += 1
                    self._tasks.append(tasks[row.id])
            if is_done:
                return
            yield 1.0

    def _work(self, row):
        world, journal = self.world, self.map.journal
        self._claims += 1
        owner = f"{self.number}/{self._claims}"
        yield world.choices.of((0.0, 0.01))
        row = journal.carry_out([Claim(row.id, owner, LEASE, row.owner, row.lease)])[0]
        if row is None:
            return
        terms = evolve(self.map.terms, longest_post=journal.longest_post)
        deadline = world.now + world.choices.of((inf, inf, 2.0, 60.0))
        position = begin(row, terms, world.now, deadline)
        while not isinstance(position.action, Leave):
            world.note("process %d, %s: %s", self.number, row.key, position.action)
            answer = yield from self._done(position)
            position = position.next(answer, world.now, world.choices.fraction(), world.now)
        world.note("process %d, %s: %s", self.number, row.key, position.action)

    def _done(self, position):  # noqa: PLR0911 - one for each action
        """Carry out an action, as ``_drivers.maps.work`` does."""
        world, row = self.world, position.row
        match position.action:
            case Prepare():
                yield world.choices.of((0.0, 0.5, 3.0))
                return Failure(SDKError("full", 500)) if world.choices.one_in(20) else Success(None)
            case Turn():
                while (seconds := self.pacing.turn(world.now)) > 0:
                    yield seconds
                return True
            case Post(until):
                return (yield from self._posted(row, until))
            case Look():
                return (yield from self._looked(self.markers.of(row.key, row.attempt)))
            case Pause(seconds, _):
                yield seconds
                return None
            case Follow(run_id):
                return (yield from self.runs.end(run_id, position.deadline))
            case Fetch():
                raise AssertionError("nothing is saved")
            case step:
                yield world.choices.of((0.0, 0.01))
                answer = self.map.journal.carry_out([step])[0]
                yield 0.0
                return answer

    def _posted(self, row, until):
        world, began = self.world, self.world.now
        if began >= until:
            return Failure(RequestTimeoutError("late", "not_sent"))
        inputs = {KEY_INPUT: self.markers.of(row.key, row.attempt)}
        request = {"workflow_id": WORKFLOW, "workflow_api_json": {}, "inputs": inputs}
        result = yield from self.calls.call(run_queue.OPERATION, request, within(RequestOptions(), until - began))
        error = None if isinstance(result, Success) else result.failure()
        self.pacing.sent(error, began, world.now, world.choices.fraction())
        return result if error is not None else Success(result.unwrap().run_id)

    def _looked(self, marker):
        def searching(timeline):
            return (yield from RunSearch(timeline, LISTS, self.markers, {}).runs(WORKFLOW, ALL, PATIENCE))

        result = yield from self.calls.steps(searching)
        if not isinstance(result, Success):
            return result
        rows = result.unwrap().runs
        return Success(Sighting(tuple(run.id for run in rows if key_of(run.workflow_inputs) == marker), bool(rows)))
