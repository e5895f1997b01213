"""Which connections are free, and which calls wait for one: the bookkeeping of a pool, without its I/O.

A choice takes the same time for any number of connections to one server. The one used last is used next, so that those
which are not needed become idle and are closed. A call that finds all of them busy waits in line.
"""

from collections import OrderedDict, deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final, Generic, Protocol, TypeVar

import httpcore
import httpx
from httpcore import AsyncConnectionInterface, ConnectionInterface, Origin

from comfydeploy._http.loading import LOCK
from comfydeploy._http.network import CLOSED
from comfydeploy._http.private_names import has_received_more

C = TypeVar("C", bound=ConnectionInterface | AsyncConnectionInterface)

_ALL_BUSY: Final = "All connections are busy"


class Slot(Generic[C]):
    """Room for one connection in a pool: new, in use, or idle. What loses the last reference to it frees it."""

    def __init__(self, ledger: "Ledger[C]", origin: Origin) -> None:
        self._ledger = ledger
        self.origin = origin
        self.connection: C | None = None
        self.idle_since = 0.0

    def __del__(self) -> None:
        with suppress(AttributeError):  # a Ctrl-C above
            self._ledger.drop(self)

    def usable(self, origin: Origin) -> C | None:
        """Return the connection if it leads to the origin, is not broken and has no unread bytes."""
        found = self.connection
        fits = found is not None and self.origin == origin and found.is_idle() and not found.has_expired()
        return found if fits else None

    def is_clean(self) -> bool:
        """Return whether the connection can take another request, as far as its response shows."""
        return self.connection is not None and self.connection.is_idle() and not has_received_more(self.connection)


class Turn(Protocol[C]):
    """The future in which a call in line receives its slot, blocking or async."""

    def cancel(self) -> bool: ...
    def cancelled(self) -> bool: ...
    def result(self) -> Slot[C]: ...
    def exception(self) -> BaseException | None: ...
    def set_result(self, result: Slot[C], /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


class Ledger(Generic[C]):
    """The common part of the blocking and the async pool."""

    def __init__(self, limits: httpx.Limits) -> None:
        self._limits = limits
        self._taken: set[int] = set()  # by id, so that a slot that is lost is free
        self._idle: deque[Slot[C]] = deque()  # the one used last at the end
        self._waiting: OrderedDict[Turn[C], None] = OrderedDict()
        self._is_closed = False

    def take(self, origin: Origin) -> Slot[C] | None:
        """Return a slot, preferably one whose connection leads to this origin, or nothing when all are busy."""
        with LOCK:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].origin == origin:
                    slot = self._idle[index]
                    del self._idle[index]
                    return slot
            most = self._limits.max_connections
            if most is None or len(self._taken) < most:
                return self._new(origin)
            return self._idle.popleft() if self._idle else None

    @contextmanager
    def line(self, turn: Turn[C], origin: Origin) -> Generator[None]:
        """Keep a call in line while the block waits for its turn."""
        with LOCK:
            if self._is_closed:
                raise httpcore.PoolTimeout(CLOSED)
            if slot := self.take(origin):  # a slot became free meanwhile
                turn.set_result(slot)
            else:
                self._waiting[turn] = None
        try:
            yield
        except BaseException as error:
            self._leave(turn)
            if isinstance(error, TimeoutError):
                raise httpcore.PoolTimeout(_ALL_BUSY) from None
            raise

    def keep(self, slot: Slot[C]) -> bool:
        """Pass a slot to the first in line, or keep it as idle; return False where its connection must be closed."""
        while True:
            with LOCK:
                if not self._waiting:
                    most = self._limits.max_keepalive_connections
                    stays = not self._is_closed and (most is None or len(self._idle) < most)
                    if stays:
                        slot.idle_since = monotonic()
                        self._idle.append(slot)
                    return stays
                turn, _ = self._waiting.popitem(last=False)
            if _is_given(slot, turn):
                return True

    def drop(self, slot: Slot[C]) -> None:
        """Remove a slot whose connection is closed; the first in line receives a new one."""
        with LOCK:
            if id(slot) not in self._taken:
                return
            self._taken.discard(id(slot))
            with suppress(ValueError):  # present only after a Ctrl-C while it was added
                self._idle.remove(slot)
            new = self._new(slot.origin) if self._waiting else None
        if new is not None:
            self.keep(new)

    def outdated(self) -> list[C]:
        """Remove the slots that were idle for long, and return their connections, to be closed."""
        seconds = self._limits.keepalive_expiry
        old: list[Slot[C]] = []
        with LOCK:
            while self._idle and seconds is not None and monotonic() - self._idle[0].idle_since > seconds:
                old.append(self._idle.popleft())
        for slot in old:
            self.drop(slot)
        return [slot.connection for slot in old if slot.connection]

    def close(self) -> list[C]:
        """Fail every call in line; return the idle connections, to be closed. Those in use are not kept."""
        with LOCK:
            self._is_closed = True
            left = list(self._waiting)
            found = [slot.connection for slot in self._idle if slot.connection]
            self._idle.clear()
        for turn in left:
            with suppress(Exception):  # it was left meanwhile
                turn.set_exception(httpcore.PoolTimeout(CLOSED))
        return found

    def _new(self, origin: Origin) -> Slot[C]:
        slot = Slot[C](self, origin)
        self._taken.add(id(slot))
        return slot

    def _leave(self, turn: Turn[C]) -> None:
        with LOCK:
            self._waiting.pop(turn, None)
        if not turn.cancel() and not turn.cancelled() and turn.exception() is None:
            self.keep(turn.result())  # it was passed on at the same moment


def _is_given(slot: Slot[C], turn: Turn[C]) -> bool:
    """Pass a slot to a call in line; return False if it has left.

    It needs the lock of the turn, whose holder may need ours in a finalizer: so ours is not held here. A slot may be
    lost in any thread, so an event loop is woken.
    """
    try:
        turn.set_result(slot)
    except Exception:  # noqa: BLE001 - asyncio and concurrent.futures have one each
        return False
    if (get_loop := getattr(turn, "get_loop", None)) is not None:
        with suppress(RuntimeError):  # it is closed
            get_loop().call_soon_threadsafe(_awake)
    return True


def _awake() -> None:
    """Do nothing, in an event loop that should look for what it has to do."""
