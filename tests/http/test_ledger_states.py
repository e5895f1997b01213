"""In any order of requests, ends, losses and cancellations no place is lost or given twice."""

from concurrent.futures import Future
from contextlib import suppress

import httpcore
import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from comfydeploy._http.ledger import Ledger

ORIGINS = [httpcore.URL(f"http://{name}").origin for name in "ab"]
PLACES = 2
some = st.sampled_from


class Calls(RuleBasedStateMachine):
    """Calls of a ledger with two places, each with its slot or in line for one."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger(httpx.Limits(max_connections=PLACES))
        self.held = []
        self.line = []
        self.is_closed = False

    @rule(origin=some(ORIGINS))
    def ask(self, origin):
        slot = None if self.is_closed else self.ledger.take(origin)
        if slot is not None:
            assert not self.line
            self.held.append(slot)
            return
        turn = Future()
        waiting = self.ledger.line(turn, origin)
        try:
            waiting.__enter__()
        except httpcore.PoolTimeout:
            assert self.is_closed
            return
        assert len(self.held) == PLACES
        self.line.append((turn, waiting))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), way=some(["keep", "drop", "lose"]))
    def end(self, data, way):
        slot = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        if way == "drop" or (way == "keep" and not self.ledger.keep(slot)):
            self.ledger.drop(slot)
        del slot
        self.serve()

    @precondition(lambda self: self.line)
    @rule(data=st.data(), way=some([KeyboardInterrupt, TimeoutError]))
    def leave(self, data, way):
        turn, waiting = self.line.pop(data.draw(st.integers(0, len(self.line) - 1)))
        turn.cancel()
        with suppress(httpcore.PoolTimeout):
            assert not waiting.__exit__(way, way(), None)
        self.serve()

    @precondition(lambda self: self.line and self.held)
    @rule()
    def leave_when_served(self):
        """An interrupt comes to the first in line as it receives its slot, which is then passed on."""
        turn, waiting = self.line.pop(0)
        slot = self.held.pop()
        assert self.ledger.keep(slot)
        assert turn.result(0) is slot
        del slot, turn
        assert not waiting.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
        self.serve()

    @rule()
    def close(self):
        self.ledger.close()
        self.is_closed = True
        for turn, _ in self.line:
            assert isinstance(turn.exception(0), httpcore.PoolTimeout)
        self.line.clear()

    def serve(self):
        """Let those go on who have received a slot: the first ones in line."""
        while self.line and self.line[0][0].done():
            turn, waiting = self.line.pop(0)
            self.held.append(turn.result(0))
            waiting.__exit__(None, None, None)

    @invariant()
    def no_place_is_given_twice(self):
        assert len({id(slot) for slot in self.held}) == len(self.held) <= PLACES

    @invariant()
    def line_waits_only_for_busy_places(self):
        assert not any(turn.done() for turn, _ in self.line)
        assert not self.line or len(self.held) == PLACES

    def teardown(self):
        if not self.is_closed:
            while self.held or self.line:
                self.ledger.drop(self.held.pop())
                self.serve()
            slots = [self.ledger.take(ORIGINS[0]) for _ in range(PLACES)]
            assert None not in slots
            assert self.ledger.take(ORIGINS[0]) is None


Calls.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestCalls = Calls.TestCase
