"""A receiver of webhooks, whose deliveries are lost, repeated and out of order."""

from simulated_server import ON_THE_WAY
from world import Fault

from comfydeploy.models.run import ENDED
from comfydeploy.webhooks import webhook_parse, webhook_progress

RANKS = {status: rank for rank, status in enumerate((*ON_THE_WAY, *sorted(ENDED)))}


class Receiver:
    """Folds the deliveries of each run into one state."""

    def __init__(self, world):
        self._world = world
        self._states = {}
        self._bodies = {}

    def watch(self, run):
        """Send deliveries of a run: some for each status, at about its time."""
        world, choices = self._world, self._world.choices
        if choices.below(3) != 1:
            return
        times = (run.created, run.begins, (run.begins + run.ends) / 2, run.ends)
        for time in times:
            for _ in range(choices.of((1, 0, 2))):
                then = time + choices.of((0.01, 0.5, 1.5, 30.0)) * choices.fraction()
                world.at(max(then, world.now), self._sent, run, time)

    def _sent(self, run, time):
        """Deliver the state that a run had at a time: the server sends it late."""
        state = run.state(time)
        method = "GET" if self._world.choices.one_in(4) else "POST"
        text = f'{{"event_type": "run.updated", "run_id": "{run.id}", {state}}}'
        body = webhook_parse(method, {}, text).unwrap()
        before = self._states.get(run.id)
        after = self._states[run.id] = webhook_progress(before, body)
        self._bodies.setdefault(run.id, []).append(body)
        self._world.note("delivered: %s", after)
        if before is None:
            return
        if (
            (before.is_ended and not after.is_ended)
            or RANKS[after.status] < RANKS[before.status]
            or after.progress < before.progress
        ):
            raise Fault("a state of webhooks goes back", f"{before} -> {after}")
        if {one.id for one in before.outputs} - {one.id for one in after.outputs}:
            raise Fault("a state of webhooks loses an output", f"{before} -> {after}")

    def check(self):
        """Check that the order of the deliveries did not matter."""
        for run_id, bodies in self._bodies.items():
            state = None
            for body in sorted(bodies, key=lambda one: (RANKS[one.status], one.progress), reverse=True):
                state = webhook_progress(state, body)
            if state != self._states[run_id]:
                raise Fault("a state of webhooks depends on their order", f"{state}, {self._states[run_id]}")
