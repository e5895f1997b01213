"""The calls of one process, as the drivers make them, without threads, event loops and sockets."""

from attrs import frozen

from comfydeploy._wire.exchange import Exchange, Pause, Renew
from comfydeploy._wire.settings import within
from comfydeploy._wire.steps import Answer, Done, Emit, Sleep
from comfydeploy._wire.timeline import Compute, Send, Timeline
from comfydeploy.errors import ComfyDeployError
from comfydeploy.funcs.run_watch import STEPS
from comfydeploy.models.secret import Secret
from comfydeploy.options import BackoffStrategy, RequestOptions, RetryConfig
from comfydeploy.result import Failure

RETRIES = RetryConfig("backoff", BackoffStrategy(0.5, 10.0, 1.5, 60.0))


@frozen
class Core:
    """The settings of a core. ``bearer`` is a text, or anything that can be called."""

    bearer: object = "key"
    address: str = "http://server/api"
    timeout: object = None
    retry_config: object = None
    hooks: tuple = ()
    debug_logger: object = None


CORES = (Core(), Core(retry_config=RETRIES), Core(bearer=str, retry_config=RETRIES))


class Calls:
    """Calls with one core."""

    def __init__(self, world, network, core):
        self.world, self.network, self.core = world, network, core

    def call(self, operation, argument, options=None):
        """Make a call, as ``_drivers.call`` does."""
        world, choices, exchange = self.world, self.world.choices, None
        token = Secret("key")
        try:
            exchange = Exchange(self.core, operation, argument, options, world.now)
            while True:
                outcome = yield from self.network.send(exchange.prepare(token, world.now))
                step = exchange.settle(outcome, world.now)
                if isinstance(step, Pause):
                    yield self._slept(step.seconds)
                elif not isinstance(step, Renew):
                    return step
                elif choices.one_in(2):
                    return step.failure
                else:
                    token = Secret(f"{token.reveal()}-renewed")
        except ComfyDeployError as error:
            return Failure(error) if exchange is None else exchange.fail(error)

    def _slept(self, seconds):
        """Return the seconds that a pause really takes."""
        return seconds + (0.05 if self.world.choices.one_in(8) else 0.0)

    def carry_out(self, action, options):
        """Carry out one step of a machine, as ``_drivers.steps`` does."""
        if isinstance(action, Sleep):
            yield self._slept(action.seconds)
            return None
        if isinstance(action, Compute):
            return action.work()
        chosen = within(options, action.seconds, retries=action.retries)
        return (yield from self.call(action.operation, action.argument, chosen))

    def steps(self, machine, options=None):
        """Carry out the steps of a machine and return its result."""
        world = self.world
        try:
            steps = machine(Timeline.beginning(options, world.now))
            action = next(steps)
            while True:
                result = yield from self.carry_out(action, options)
                action = steps.send(Answer(result, world.now, world.choices.fraction()))
        except StopIteration as stop:
            return stop.value
        except ComfyDeployError as error:
            return Failure(error)

    def wait(self, follower, emitted=lambda item: None):
        """Carry out the steps of a follower up to its result, as ``_drivers.waiting`` does."""
        world = self.world
        while not isinstance(step := follower.step, Done):
            result = None
            if isinstance(step, Emit):
                emitted(step.item)
            else:
                action = (
                    step
                    if isinstance(step, Sleep)
                    else Send(STEPS[type(step)], step.arguments(follower.run_id), step.seconds)
                )
                result = yield from self.carry_out(action, RequestOptions())
            follower.feed(result, world.now, world.choices.fraction())
        return step.result
