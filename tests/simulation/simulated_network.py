"""A network that loses, delays and refuses requests and responses, behind the places of the real pool.

The errors are those that the client makes of what httpx raises. A request that has left may be executed at any time
until ``LATEST`` seconds later, and its run be shown then or earlier.
"""

from asyncio import InvalidStateError

import httpcore
import httpx
from simulated_server import JSON
from world import Fault, Future

from comfydeploy._http.ledger import Ledger
from comfydeploy._wire.deadline import remaining
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.transport_errors import request_error

ORIGIN = httpcore.URL("http://server").origin
LATEST = 20.0
CALM = 300.0
"""When faults end, so that what is repeated until it succeeds comes to an end."""

HTML = {"content-type": "text/html"}
BUSY, UNAUTHORIZED = (503, 429), 401
# What is unknown to the client: a proxy sends some of these, also for a request that was executed.
DOUBTFUL = (500, 502, 504, 408, 499, 303)
FAULTS = (
    "refused",
    "no connection",
    "reset before",
    "reset after",
    "doubtful before",
    "doubtful after",
    "busy",
    "unauthorized",
    "unfit",
    "late execution",
    "late response",
    "lost",
    "stale",
    "garbage",
)
CONNECTING = ("refused", "no connection")
EXECUTING = ("reset after", "doubtful after", "late execution", "late response", "garbage")


class Turn(Future):
    """What a call in line waits for, as the pool's futures are."""

    __slots__ = ("_error", "_is_cancelled", "_slot")

    def __init__(self, world):
        super().__init__(world)
        self._slot = self._error = None
        self._is_cancelled = False

    def cancel(self):
        self._is_cancelled = self._is_cancelled or not self.done()
        return self._is_cancelled

    def cancelled(self):
        return self._is_cancelled

    def done(self):
        return self._is_cancelled or self._slot is not None or self._error is not None

    def result(self):
        if self._error is not None:
            raise self._error
        return self._slot

    def exception(self):
        return self._error

    def set_result(self, slot):
        if self.done():
            raise InvalidStateError
        self._slot = slot
        self.set(delay=self._world.choices.of((0.0, 0.05)))  # of a busy event loop

    def set_exception(self, error):
        self._error = error
        self.set()


class Connection:
    """A connection that is idle whenever the pool looks at it."""

    __slots__ = ("is_broken", "is_closed")

    def __init__(self):
        self.is_broken = self.is_closed = False

    def is_idle(self):
        return not self.is_closed

    def has_expired(self):
        return self.is_broken or self.is_closed

    def close(self):
        self.is_closed = True


class Network:
    """Sends attempts and returns their outcomes. ``rate``: one request in so many meets a fault, 0 for none."""

    def __init__(self, world, server, places):
        choices = world.choices
        self.world, self.server = world, server
        self.rate = choices.of((0, 20, 5, 2, 1))
        self.faults = [fault for fault in FAULTS if choices.below(3)] if self.rate else []
        self.places = places
        self.held = 0
        self.ledger = Ledger(httpx.Limits(max_connections=places, keepalive_expiry=5.0))

    def send(self, attempt):
        """Send an attempt, as a task does that may be killed anywhere."""
        world, ledger = self.world, self.ledger
        old = ledger.outdated()
        slot = ledger.take(ORIGIN)
        if slot is None:
            try:
                slot = yield from self._in_line(attempt)
            except httpcore.PoolTimeout as error:
                return self._failed(httpx.PoolTimeout(str(error)), attempt)
        self.held += 1
        if self.held > self.places:
            raise Fault("more places are used than there are", f"{self.held} of {self.places}")
        is_kept = False
        try:
            for one in old:
                one.close()
            connection = slot.usable(ORIGIN)
            is_new = connection is None
            if connection is None:
                if slot.connection is not None:
                    slot.connection.close()
                slot.connection = connection = Connection()
            outcome = yield from self._exchanged(attempt, connection, is_new=is_new)
            is_kept = isinstance(outcome, Reply) and outcome.status_code < 500
        finally:
            self.held -= 1
            if not (is_kept and slot.is_clean() and ledger.keep(slot)):
                if slot.connection is not None:
                    slot.connection.close()
                ledger.drop(slot)
        world.note("%s: %s", attempt.call, outcome.status_code if isinstance(outcome, Reply) else repr(outcome))
        return outcome

    def _in_line(self, attempt):
        turn = Turn(self.world)
        with self.ledger.line(turn, ORIGIN):
            limit = remaining(attempt.limits.get("pool"), self.world.now)
            if limit is not None:
                self.world.at(self.world.now + max(limit, 0.0), turn.set)
            yield turn
            if not turn.done():
                raise TimeoutError
            return turn.result()

    def _exchanged(self, attempt, connection, *, is_new):
        world, choices = self.world, self.world.choices
        fault = None
        if self.faults and world.now < CALM and choices.one_in(self.rate):
            fault = choices.of(self.faults)
        latency = choices.of((0.02, 0.001, 0.3, 2.0))
        if fault in CONNECTING and not is_new:
            fault = None
        if fault:
            world.note("%s meets: %s", attempt.call, fault)
        if fault in CONNECTING:
            is_refused = fault == "refused"
            yield from self._until(latency if is_refused else None, attempt, "connect")
            return self._failed(httpx.ConnectError("refused") if is_refused else httpx.ConnectTimeout(""), attempt)
        # A request that was sent is executed whatever becomes of the client.
        answer = Future(world)
        begins = self._begins(fault, latency)
        if begins is not None:
            lateness = choices.fraction() * (LATEST - begins) if choices.one_in(4) and fault else 0.0
            world.at(world.now + begins, lambda: answer.set(self.server.answer(attempt.request, lateness)))
        takes = begins if begins is not None else latency
        if fault == "late response":
            takes += choices.of((1, 30, 400))
        elif fault == "lost":
            takes = None
        is_in_time = yield from self._until(takes if takes is None else takes + latency, attempt, "read")
        if not is_in_time:
            return self._failed(httpx.ReadTimeout(""), attempt)
        connection.is_broken = choices.one_in(8)  # while it is idle
        return self._outcome(fault, attempt, answer)

    def _begins(self, fault, latency):
        """Return when the request is executed, ``None`` for never."""
        if fault is not None and fault not in EXECUTING:
            return None
        return self.world.choices.fraction() * LATEST if fault == "late execution" else latency

    def _outcome(self, fault, attempt, answer):  # noqa: PLR0911 - one for each fault
        choices = self.world.choices
        if fault in ("reset before", "reset after"):
            return self._failed(httpx.ReadError("reset"), attempt)
        if fault == "stale":
            return self._failed(httpx.RemoteProtocolError("closed"), attempt)
        if fault in ("doubtful before", "doubtful after"):
            return Reply(choices.of(DOUBTFUL), HTML, b"<html>")
        if fault == "busy":
            return Reply(choices.of(BUSY), {**JSON, "retry-after": choices.of(("0", "3"))}, b"{}")
        if fault == "unauthorized":
            return Reply(UNAUTHORIZED, JSON, b'{"detail": "Revoked token"}')
        if fault == "unfit":
            return Reply(choices.of((404, 422, 400)), JSON, b'{"detail": "no"}')
        if fault == "garbage":
            return Reply(200, *choices.of(((HTML, b"<html>"), (JSON, b"{"), (JSON, b"{}"))))
        return Reply(*answer.value)

    def _until(self, seconds, attempt, limit):
        """Wait so many seconds, without end for ``None``, but no longer than a limit; return whether it was enough."""
        most = remaining(attempt.limits.get(limit), self.world.now)
        if seconds is None or (most is not None and seconds > most):
            if most is None:
                raise Fault("a request has no limit", attempt.call)
            yield max(most, 0.0)
            return False
        yield seconds
        return True

    def _failed(self, error, attempt):
        return request_error(error, "unknown", closed=False, attempt=attempt, now=self.world.now)

    def check(self):
        """Check that all places are free, and can be taken."""
        taken = [self.ledger.take(ORIGIN) for _ in range(self.places)]
        if None in taken:
            raise Fault("a place of the pool is lost", f"{taken.count(None)} of {self.places}")
