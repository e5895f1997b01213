"""Faults that are put into the client, one at a time, to show that a simulation finds them.

``BREAKS`` has for each the promise that is broken. The first one was in the client until a simulation found it.
"""

from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import simulated_maps
from attrs import evolve

from comfydeploy._http.ledger import Ledger, Slot
from comfydeploy._mapping import protocol, rows
from comfydeploy._mapping.actions import Post
from comfydeploy._mapping.rows import DURABLE, Try, changed
from comfydeploy._wire import fate, follower, operation, queue_once, retry, run_search
from comfydeploy._wire.deadline import Deadline
from comfydeploy._wire.exchange import Exchange
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.steps import Poll
from comfydeploy.errors import ConnectionError
from comfydeploy.result import Failure, Success
from comfydeploy.webhooks import progress

NOTHING = frozenset()
NOT_SENT = Failure(ConnectionError("refused", "not_sent"))


def sent_again(attempt, sending, wire):
    """Send the request again where its response is lost, without a search."""
    for _ in range(2):
        created = yield from attempt._timeline.send(sending.queue, wire, until=attempt._ends_at)
        if isinstance(created, Success):
            return Success(queue_once.QueuedOnce(created.unwrap().run_id, found=False))
    return created


def without_deadline(exchange, outcome, now, *, plain=Exchange._pause):
    """Return the pause of a call as if it had no deadline."""
    deadline, exchange.deadline = exchange.deadline, None
    pause = plain(exchange, outcome, now)
    exchange.deadline = deadline
    return pause


def only_left(ledger, turn):
    """Leave the line, without the place that was passed on at the same moment."""
    ledger._waiting.pop(turn, None)


def only_dropped(ledger, slot):
    """Drop a slot without a new one for the first in line."""
    ledger._taken.discard(id(slot))


def trusting(row, terms, now, deadline):
    """Begin as if a run that is missing now did not exist."""
    return evolve(protocol.begin(row, terms, now, deadline), certain_at=now)


def hasty(position, answer, *times, plain=protocol.Position.next):
    """Treat a lost response as a request that was not sent."""
    is_lost = isinstance(position.action, Post) and isinstance(answer, Failure)
    return plain(position, NOT_SENT if is_lost else answer, *times)


def unguarded(row, step):
    """Record a request without a check of the owner."""
    return changed(row, step._replace(owner=row.owner) if isinstance(step, Try) else step)


def unlimited(deadline, limits, now):
    """Return the limits of a request as if there were no deadline."""
    return dict(limits)


TWO, DENIED = "a call creates two runs", "a run exists that an error denies"
TWICE = "an attempt of a map creates two runs"
WEAKENINGS = {
    "a 408 is taken as a refusal": (DENIED, [(fate, "IN_DOUBT", NOTHING), (operation, "IN_DOUBT", NOTHING)]),
    "a lost response is taken as not sent": (
        TWO,
        [(retry, "maybe_executed", lambda outcome: isinstance(outcome, Reply))],
    ),
    "a 500 is sent again": (TWO, [(fate, "REFUSED", frozenset({429, 500, 502, 503, 504}))]),
    "earlier attempts are forgotten": (DENIED, [(Exchange, "_may_be_executed", lambda _, outcome: False)]),
    "a lost run is sent again without a search": (TWO, [(queue_once._Attempt, "steps", sent_again)]),
    "a search reads no rows": (TWO, [(run_search, "_recent", lambda rows, since: [])]),
    "pauses ignore the deadline": ("a call ends after its deadline", [(Exchange, "_pause", without_deadline)]),
    "requests ignore the deadline": ("a call ends after its deadline", [(Deadline, "limited", unlimited)]),
    "polls ignore the deadline": (
        "a wait ends after its deadline",
        [(follower, "Poll", lambda first, _: Poll(first, 30.0))],
    ),
    "a cancel is believed": ("a wait ends with what is not true", [(follower, "_is_cancelled", lambda _: True)]),
    "who leaves the line keeps a place": (
        "a place of the pool is lost",
        [(Ledger, "_leave", only_left), (Slot, "__del__", lambda _: None)],
    ),
    "a free place is not passed on": ("a task waits without end", [(Ledger, "drop", only_dropped)]),
    "the last delivery counts": (
        "a state of webhooks goes back",
        [(progress, "_further", lambda known, update: update)],
    ),
    "the last outputs count": (
        "a state of webhooks loses an output",
        [(progress, "_merged", lambda known, update: tuple(update))],
    ),
    "a map waits for no late run": (TWICE, [(simulated_maps, "begin", trusting)]),
    "a map sends a lost request again": (TWICE, [(protocol.Position, "next", hasty)]),
    "the owner of a job is not checked": (TWICE, [(rows, "changed", unguarded)]),
    "the note of a request is not durable": (TWICE, [(simulated_maps, "DURABLE", tuple(set(DURABLE) - {Try}))]),
}
BREAKS = {name: broken for name, (broken, _) in WEAKENINGS.items()}


@contextmanager
def weakened(name):
    """Put a fault into the client, none for ``None``."""
    with ExitStack() as stack:
        for place, attribute, other in () if name is None else WEAKENINGS[name][1]:
            stack.enter_context(patch.object(place, attribute, other))
        yield
