"""The bookkeeping of a pool, without connections."""

import asyncio
import threading
from concurrent.futures import Future

import httpcore
import httpx
import pytest

from comfydeploy._http import ledger as module
from comfydeploy._http.ledger import Ledger, Slot

ORIGIN = httpcore.URL("http://host").origin
OTHER = httpcore.URL("http://other").origin


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
    slots = [ledger.take(ORIGIN) for _ in range(3)]
    assert [ledger.keep(slot) for slot in slots] == [True, True, False]
    assert ledger.outdated() == []
    assert [ledger.take(ORIGIN) in slots[:2] for _ in range(3)] == [True, True, False]


def test_slots_without_connection_need_no_closing():
    ledger = Ledger(httpx.Limits())
    slots = idle(ledger, None, "connection")
    assert ledger.close() == ["connection"]
    assert slots


def test_empty_slots_are_outdated_too():
    ledger = Ledger(httpx.Limits(keepalive_expiry=-1))
    idle(ledger, None, "connection")
    assert ledger.outdated() == ["connection"]


def test_call_joins_the_line_under_the_lock(lock, monkeypatch):
    held = []
    ledger = Ledger(httpx.Limits(max_connections=0))
    monkeypatch.setattr(Ledger, "take", lambda *_: held.append(lock.depth))
    with ledger.line(Future(), ORIGIN):
        assert lock.depth == 0  # not while it waits
    assert held == [1]


class Turn(Future):
    """A turn that notes whether the lock is held when it is set."""

    def __init__(self, lock):
        super().__init__()
        self._outer, self.held = lock, []

    def set_result(self, result):
        self.held.append(self._outer.depth)
        super().set_result(result)

    def set_exception(self, exception):
        self.held.append(self._outer.depth)
        super().set_exception(exception)


@pytest.mark.parametrize("way", ["close", "drop", "keep"])
def test_line_is_served_without_the_lock(lock, way):
    """The turn has a lock too, whose holder may need the other one in a finalizer."""
    turn = Turn(lock)
    ledger = Ledger(httpx.Limits(max_connections=1))
    slot = ledger.take(ORIGIN)
    with ledger.line(turn, ORIGIN):
        getattr(ledger, way)(*[] if way == "close" else [slot])
    assert turn.held == [0]
    assert isinstance(turn.exception(), httpcore.PoolTimeout if way == "close" else type(None))


def test_slot_lost_in_a_thread_wakes_the_loop():
    async def wait():
        ledger = Ledger(httpx.Limits(max_connections=1))
        held = [ledger.take(ORIGIN)]
        turn = asyncio.get_running_loop().create_future()
        thread = threading.Timer(0.05, held.clear)  # when the event loop sleeps
        thread.start()
        with ledger.line(turn, ORIGIN):
            slot = await turn  # nothing else wakes the event loop
        thread.join()
        return slot.origin

    assert asyncio.run(wait()) == ORIGIN


def test_slot_for_a_closed_loop_is_passed_on():
    loop = asyncio.new_event_loop()
    ledger = Ledger(httpx.Limits(max_connections=1))
    slot, turn = ledger.take(ORIGIN), loop.create_future()
    with ledger.line(turn, ORIGIN):
        loop.close()
        assert ledger.keep(slot)
        assert turn.result() is slot


class Connection:
    def __init__(self, *, idle=True, expired=False):
        self._idle, self._expired = idle, expired

    def is_idle(self):
        return self._idle

    def has_expired(self):
        return self._expired


@pytest.mark.parametrize("connection", [None, Connection(idle=False), Connection(expired=True)])
def test_unusable_connection_is_not_used(connection):
    (slot,) = idle(Ledger(httpx.Limits()), connection)
    assert slot.usable(ORIGIN) is None


def test_connection_is_used_for_its_origin(monkeypatch):
    (slot,) = idle(Ledger(httpx.Limits()), Connection())
    assert slot.usable(ORIGIN) is slot.connection
    assert slot.usable(OTHER) is None
    monkeypatch.setattr(module, "has_received_more", lambda _: False)
    assert slot.is_clean()


@pytest.mark.parametrize(("connection", "more"), [(None, False), (Connection(idle=False), False), (Connection(), True)])
def test_used_connection_is_not_clean(monkeypatch, connection, more):
    (slot,) = idle(Ledger(httpx.Limits()), connection)
    monkeypatch.setattr(module, "has_received_more", lambda _: more)
    assert not slot.is_clean()


def test_last_used_slot_of_origin_is_next():
    ledger = Ledger(httpx.Limits(max_connections=3))
    first, second = idle(ledger, "a", "b")
    assert ledger.take(ORIGIN) is second
    assert ledger.take(ORIGIN) is first


def test_oldest_slot_goes_to_another_origin():
    ledger = Ledger(httpx.Limits(max_connections=2))
    oldest, newest = idle(ledger, "a", "b")
    assert ledger.take(OTHER) is oldest
    assert ledger.take(OTHER) is newest
    assert ledger.take(OTHER) is None


def test_slot_that_was_never_made_is_dropped():
    slot = Slot.__new__(Slot)
    slot.__del__()
    assert not hasattr(slot, "_ledger")


def test_slot_is_dropped_once():
    ledger, turns = Ledger(httpx.Limits(max_connections=1)), [Future(), Future()]
    slot = ledger.take(ORIGIN)
    with ledger.line(turns[0], ORIGIN), ledger.line(turns[1], ORIGIN):
        ledger.drop(slot)
        ledger.drop(slot)
        assert [turn.done() for turn in turns] == [True, False]


def test_closed_pool_keeps_nothing():
    ledger = Ledger(httpx.Limits())
    slot = ledger.take(ORIGIN)
    slot.connection = "connection"
    idle(ledger, "idle")
    assert ledger.close() == ["idle"]
    assert not ledger.keep(slot)
    assert ledger.close() == []


def test_idle_connection_expires(monkeypatch):
    now = 100.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    ledger = Ledger(httpx.Limits(keepalive_expiry=5.0))
    slots = idle(ledger, "old")
    now = 105.0
    assert ledger.outdated() == []
    now = 105.5
    assert ledger.outdated() == ["old"]
    assert slots


def test_changes_are_made_under_the_lock(lock, monkeypatch):
    held = []

    def moment():
        held.append(lock.depth)
        return 0.0

    monkeypatch.setattr(module, "monotonic", moment)
    ledger = Ledger(httpx.Limits(keepalive_expiry=5.0))
    ledger.keep(slot := ledger.take(ORIGIN))
    ledger.outdated()
    assert slot
    assert held == [1, 1]


def test_slot_is_taken_under_the_lock(lock, monkeypatch):
    held = []
    monkeypatch.setattr(Ledger, "_new", lambda *_: held.append(lock.depth))
    Ledger(httpx.Limits()).take(ORIGIN)
    assert held == [1]


def test_call_that_has_left_receives_no_slot():
    ledger, turn = Ledger(httpx.Limits(max_connections=1)), Future()
    slot = ledger.take(ORIGIN)
    with pytest.raises(KeyboardInterrupt), ledger.line(turn, ORIGIN):
        raise KeyboardInterrupt
    assert ledger.keep(slot)
    assert turn.cancelled()
    assert ledger.take(ORIGIN) is slot


def test_wait_in_vain_says_so():
    ledger = Ledger(httpx.Limits(max_connections=0))
    with pytest.raises(httpcore.PoolTimeout, match=r"^All connections are busy$"), ledger.line(Future(), ORIGIN):
        raise TimeoutError
