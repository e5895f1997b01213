"""The runs of a process of a map, followed together by lists, as ``_drivers.maps.runs`` does."""

from math import inf

from simulated_server import WORKFLOW
from world import Future

from comfydeploy._mapping.following import Following
from comfydeploy._mapping.requests import ListRows, ReadRun
from comfydeploy._wire.follower import Follower
from comfydeploy._wire.run_search import SearchScope
from comfydeploy._wire.settings import within
from comfydeploy._wire.steps import Sleep
from comfydeploy.funcs import run_get, workflow_runs
from comfydeploy.options import RequestOptions
from comfydeploy.result import Success

PLACE = SearchScope(workflow_id=WORKFLOW)
RESERVE = 1.0


class Runs:
    """Waits for the end of runs."""

    def __init__(self, world, calls):
        self.world, self.calls = world, calls
        self._following = Following(world.now)
        self._seen = {}
        self._changed = Future(world)

    def end(self, run_id, deadline):
        """Return the end of a run."""
        world = self.world
        seen = self._seen[run_id] = Future(world)
        self._following.add(run_id, PLACE, world.now)
        self._changed.set()
        if deadline < inf:
            world.at(max(deadline - RESERVE, world.now), seen.set)
        try:
            yield seen
        finally:
            self._following.drop(run_id)
            del self._seen[run_id]
        follower = Follower(run_id, now=world.now, deadline=None if deadline == inf else max(deadline, world.now))
        return (yield from self.calls.wait(follower))

    def follow(self):
        """Follow the runs until the process ends."""
        world, following = self.world, self._following
        while True:
            self._changed = Future(world)
            action = following.next(world.now)
            if action is None or isinstance(action, Sleep):
                if action is not None:
                    world.at(world.now + action.seconds, self._changed.set)
                yield self._changed
                continue
            result = yield from self._read(action)
            for run_id in following.feed(result, world.now, world.choices.fraction()):
                if run_id in self._seen:
                    self._seen[run_id].set()

    def _read(self, action):
        match action:
            case ReadRun(_, seconds):
                return (
                    yield from self.calls.call(run_get.OPERATION, action.arguments(), within(RequestOptions(), seconds))
                )
            case ListRows():
                options = within(RequestOptions(), action.seconds)
                return (yield from self.calls.call(workflow_runs.OPERATION, action.arguments(), options))
            case _:
                yield 0.0
                return Success(WORKFLOW)
