"""Which connections are free, and which calls wait for one: the bookkeeping of a pool, without its I/O.

A choice takes the same time for any number of connections. The one used last is used next, so that those which are
not needed become idle and are closed. A call that finds all of them busy waits in line.
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
    """Room for one connection in a pool. It is free again when the last reference to it is dropped, in any thread."""

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

    def cancelled(self) -> bool: ...
    def done(self) -> bool: ...
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
        with LOCK:
            while self._waiting:
                turn, _ = self._waiting.popitem(last=False)
                if not turn.done():  # done where the task was cancelled and has not run since
                    turn.set_result(slot)
                    return True
            if not self._is_closed:
                slot.idle_since = monotonic()
                self._idle.append(slot)
            return not self._is_closed

    def drop(self, slot: Slot[C]) -> None:
        """Remove a slot whose connection is closed; the first in line receives a new one."""
        with LOCK:
            if id(slot) in self._taken:
                self._taken.discard(id(slot))
                with suppress(ValueError):  # present only after a Ctrl-C while it was added
                    self._idle.remove(slot)
                if self._waiting:
                    self.keep(self._new(slot.origin))

    def outdated(self) -> list[C]:
        """Remove the slots that were idle for long, and return their connections, to be closed."""
        most, seconds = self._limits.max_keepalive_connections, self._limits.keepalive_expiry
        old: list[Slot[C]] = []
        with LOCK:
            while self._idle and (
                (most is not None and len(self._idle) > most)
                or (seconds is not None and monotonic() - self._idle[0].idle_since > seconds)
            ):
                old.append(self._idle.popleft())
                self.drop(old[-1])
        return [slot.connection for slot in old if slot.connection]

    def close(self) -> list[C]:
        """Fail every call in line; return the idle connections, to be closed. Those in use are not kept."""
        with LOCK:
            self._is_closed = True
            for turn in self._waiting:
                if not turn.done():
                    turn.set_exception(httpcore.PoolTimeout(CLOSED))
            found = [slot.connection for slot in self._idle if slot.connection]
            self._idle.clear()
        return found

    def _new(self, origin: Origin) -> Slot[C]:
        slot = Slot[C](self, origin)
        self._taken.add(id(slot))
        return slot

    def _leave(self, turn: Turn[C]) -> None:
        with LOCK:
            self._waiting.pop(turn, None)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.keep(turn.result())  # it was passed on at the same moment
