"""The bookkeeping of a pool, without connections."""

from concurrent.futures import Future

import httpcore
import httpx
import pytest

from comfydeploy._http import ledger as module
from comfydeploy._http.ledger import Ledger

ORIGIN = httpcore.URL("http://host").origin


class Lock:
    """A lock that knows whether it is held."""

    depth = 0

    def __enter__(self):
        self.depth += 1

    def __exit__(self, *_):
        self.depth -= 1


@pytest.fixture
def lock(monkeypatch):
    made = Lock()
    monkeypatch.setattr(module, "LOCK", made)
    return made


def idle(ledger, *connections):
    """Let slots with these connections be idle, the first one longest."""
    slots = [ledger.take(ORIGIN) for _ in connections]
    for slot, connection in zip(slots, connections, strict=True):
        slot.connection = connection
        ledger.keep(slot)
    return slots


def test_as_many_as_are_kept_alive_stay():
    ledger = Ledger(httpx.Limits(max_keepalive_connections=2, keepalive_expiry=None))
    idle(ledger, "oldest", "middle", "newest")
    assert ledger.outdated() == ["oldest"]
    assert ledger.outdated() == []
    assert ledger.close() == ["middle", "newest"]


def test_slots_without_connection_need_no_closing():
    ledger = Ledger(httpx.Limits())
    slots = idle(ledger, None, "connection")
    assert ledger.close() == ["connection"]
    assert slots


def test_empty_slots_are_outdated_too():
    ledger = Ledger(httpx.Limits(max_keepalive_connections=0))
    idle(ledger, None, "connection")
    assert ledger.outdated() == ["connection"]


def test_call_joins_the_line_under_the_lock(lock, monkeypatch):
    held = []
    ledger = Ledger(httpx.Limits(max_connections=0))
    monkeypatch.setattr(Ledger, "take", lambda *_: held.append(lock.depth))
    with ledger.line(Future(), ORIGIN):
        assert lock.depth == 0  # not while it waits
    assert held == [1]


def test_calls_in_line_are_failed_under_the_lock(lock):
    class Turn(Future):
        def set_exception(self, exception):
            held.append(lock.depth)
            super().set_exception(exception)

    held, turn = [], Turn()
    ledger = Ledger(httpx.Limits(max_connections=0))
    with ledger.line(turn, ORIGIN):
        ledger.close()
    assert held == [1]
    assert isinstance(turn.exception(), httpcore.PoolTimeout)
