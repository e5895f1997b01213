"""Callers: plain calls, calls with a key that are repeated after a crash, and waits. Each checks its promises."""

from functools import partial

from attrs import evolve
from simulated_calls import CORES, Calls
from simulated_network import DOUBTFUL, LATEST
from simulated_server import WORKFLOW
from world import Fault

from comfydeploy._wire.fate import HOW_TO_FIND
from comfydeploy._wire.follower import Follower
from comfydeploy._wire.polling import FIRST
from comfydeploy._wire.queue_once import queueing_once
from comfydeploy.errors import ConnectionError, RequestTimeoutError
from comfydeploy.funcs import run_queue
from comfydeploy.funcs.run_find import LISTS
from comfydeploy.funcs.run_queue_and_wait import SENDING
from comfydeploy.inputs import KEY_INPUT
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import DeadlineExceeded, RunCancelled, RunFailed, RunTimedOut
from comfydeploy.result import Failure, Success

LATE = 0.2
"""Seconds by which a deadline may be missed: pauses last longer than they should, and the last read takes 0.1 s."""

CANCELLING = 5.0
SETTLE = LATEST + 1.0
# With these a wait goes on, unless it has a deadline.
UNENDING = (ConnectionError, RequestTimeoutError, DeadlineExceeded)
DEADLINES = (None, 0.3, 5.0, 40.0)


class Caller:
    """A process that creates one run, and may wait for it. ``name`` is that of its run on the server."""

    def __init__(self, world, server, network, name):
        self.world, self.server, self.name = world, server, name
        self.calls = Calls(world, network, world.choices.of(CORES))
        self.known = self.error = None
        self.repeats = self.calls.core.retry_config is not None and world.choices.one_in(3)
        """Whether it has named codes after which to send again, although a run may exist."""

    @property
    def request(self):
        return {"workflow_id": WORKFLOW, "workflow_api_json": {}, "inputs": {KEY_INPUT: self.name}}

    def begin(self):
        """Begin, and be killed at some time, or not."""
        choices = self.world.choices
        task = self.world.spawn(self._work())
        if choices.one_in(4):
            self.world.at(
                self.world.now + choices.of((0.01, 0.0, 0.1, 1.0, 30.0)) * choices.fraction(), self._killed, task
            )

    def _killed(self, task):
        if not task.is_over:
            self.world.note("%s is killed", self.name)
            task.kill()
            self._left_behind()

    def _left_behind(self):
        """Do nothing more, as a caller without a key."""

    def _options(self):
        deadline = self.world.choices.of(DEADLINES)
        return None if deadline is None else RequestOptions(deadline=deadline)

    def _checked_time(self, what, began, options, more=0.0):
        if options is not None and options.deadline and self.world.now > began + options.deadline + LATE + more:
            late = self.world.now - began - options.deadline
            raise Fault(f"a {what} ends after its deadline", f"{self.name}: {late:.3f} s late")

    def _work(self):
        began, options = self.world.now, self._options()
        if self.repeats:
            options = evolve(options or RequestOptions(), retry_codes=DOUBTFUL)
        result = yield from self.calls.call(run_queue.OPERATION, self.request, options)
        self.world.note("%s: %s", self.name, result)
        self._checked_time("call", began, options)
        if isinstance(result, Success):
            self.known = result.unwrap().run_id
            yield from self._followed()
        else:
            self.error = result.failure()

    def _followed(self):
        world, choices, run_id = self.world, self.world.choices, self.known
        began, options = world.now, self._options()
        deadline = None if options is None else began + options.deadline
        cancels = choices.one_in(3)
        follower = Follower(
            run_id, now=began, deadline=deadline, on_abandon="cancel" if cancels else "leave", delay=FIRST
        )
        statuses = []
        wait = world.spawn(self._waited(follower, statuses, began, options, cancels=cancels))
        if choices.one_in(4):
            yield choices.of((0.1, 1.0, 10.0)) * choices.fraction()
            if not wait.is_over:
                wait.kill()
                world.note("the wait of %s is interrupted", self.name)
                follower.abandon(world.now)
                began = world.now
                result = yield from self.calls.wait(follower)
                self._checked_end(result, cancels=cancels)
                if world.now > began + CANCELLING + LATE:
                    raise Fault("an interrupt takes too long", f"{world.now - began:.3f} s")

    def _waited(self, follower, statuses, began, options, *, cancels):
        result = yield from self.calls.wait(follower, statuses.append)
        self.world.note("the wait of %s: %s", self.name, result)
        self._checked_time("wait", began, options, CANCELLING if cancels else 0.0)
        self._checked_end(result, cancels=cancels)
        if options is None and not isinstance(result, Success) and isinstance(result.failure(), UNENDING):
            self._wrong_end(result)

    def _checked_end(self, result, *, cancels):
        """Check that a wait says the truth about its run."""
        run = self.server.runs[self.known]
        status = run.status(self.world.now)
        match result:
            case Success():
                is_true = status == "success"
            case Failure(RunFailed()):
                is_true = status == "failed"
            case Failure(RunCancelled()):
                is_true = status == "cancelled"
            case Failure(RunTimedOut()):
                is_true = status == "timeout"
            case Failure(DeadlineExceeded(cancelled="yes")):
                is_true = status == "cancelled" and cancels
            case Failure(DeadlineExceeded(cancelled=word)):
                is_true = word == ("unknown" if cancels else "no")
            case _:
                is_true = True
        if not is_true:
            self._wrong_end(result)

    def _wrong_end(self, result):
        raise Fault("a wait ends with what is not true", f"{self.name}: {result}")

    def check(self):
        """Check, once all is over, that there is at most one run and that it is known, or reported."""
        runs = self.server.of_key(self.name)
        if len(runs) > 1 and not self.repeats:
            raise Fault("a call creates two runs", f"{self.name}: {[run.id for run in runs]}")
        if self.known is not None and self.known not in [run.id for run in runs]:
            raise Fault("a call returns a run of another", f"{self.name}: {self.known}")
        if self.error is not None and runs and not self._is_reported(self.error):
            raise Fault("a run exists that an error denies", f"{self.name}: {self.error!r}")

    def _is_reported(self, error):
        """Return whether an error leaves open that there is a run: its hint says how to find it."""
        return error.fate != "not_sent" and HOW_TO_FIND in (error.hint or "")


class KeyedCaller(Caller):
    """Repeats a call with its key until its run is known, also after it was killed."""

    def __init__(self, world, server, network, name):
        super().__init__(world, server, network, name)
        self._left = 4

    def _left_behind(self):
        # The function needs callers that repeat it only when a run would be shown.
        self.world.at(self.world.now + SETTLE, self._begin_again)

    def _begin_again(self):
        self._left -= 1
        if self._left and self.known is None:
            self.begin()

    def _work(self):
        self.repeats = False
        began, options = self.world.now, self._options()
        machine = partial(
            queueing_once,
            lists=LISTS,
            sending=SENDING,
            request=self._plain,
            key=self.name,
            settle=SETTLE,
            since=None,
            cache={},
        )
        result = yield from self.calls.steps(machine, options)
        self.world.note("%s: %s", self.name, result)
        self._checked_time("call with a key", began, options)
        if isinstance(result, Success):
            self.known = result.unwrap().run_id
            yield from self._followed()
            return
        error = result.failure()
        if error.fate != "unknown":
            self.world.at(self.world.now + SETTLE, self._denied, error, began)
        self.world.at(self.world.now + SETTLE, self._begin_again)

    @property
    def _plain(self):
        return {**self.request, "inputs": {}}

    def _denied(self, error, began):
        """Check that a call whose error says so has created no run, before it is repeated."""
        if any(run.created >= began for run in self.server.of_key(self.name)):
            raise Fault("a run exists that an error denies", f"{self.name}: {error!r}")

    def check(self):
        self.error = None
        super().check()
