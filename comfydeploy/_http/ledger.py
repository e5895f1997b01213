"""Which connections are free, and who waits for one: the bookkeeping of a pool, without its I/O.

A choice takes the same time however many connections there are. The one used last is used next, so that those which are
not needed grow old and are closed; whoever finds all of them busy waits in line.
"""

from collections import OrderedDict, deque
from collections.abc import Generator
from contextlib import contextmanager
from threading import RLock
from time import monotonic
from typing import Final, Generic, Protocol, TypeVar

import httpcore
import httpx
from attrs import define
from httpcore import AsyncConnectionInterface, ConnectionInterface, Origin

C = TypeVar("C", bound=ConnectionInterface | AsyncConnectionInterface)

_CLOSED: Final = "The client was closed"
_ALL_BUSY: Final = "All connections are busy"


@define(eq=False)
class Place(Generic[C]):
    """A place for one connection."""

    origin: Origin
    connection: C | None = None
    idle_since: float = 0.0

    def usable(self, origin: Origin) -> C | None:
        """Give the connection if it leads to the origin still: it may have broken, or its server have closed it."""
        found = self.connection
        fits = found is not None and self.origin == origin and found.is_idle() and not found.has_expired()
        return found if fits else None


class Turn(Protocol[C]):
    """Where one in line is given a place: a future of either colour."""

    def cancelled(self) -> bool: ...
    def done(self) -> bool: ...
    def result(self) -> Place[C]: ...
    def exception(self) -> BaseException | None: ...
    def set_result(self, result: Place[C], /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


class Ledger(Generic[C]):
    """What both colours of a pool share."""

    def __init__(self, limits: httpx.Limits) -> None:
        self._limits = limits
        self._places: set[Place[C]] = set()
        self._idle: deque[Place[C]] = deque()  # the one used last at the end
        self._waiting: OrderedDict[Turn[C], None] = OrderedDict()
        self._is_closed = False
        # Reentrant, since the garbage collector may close a forgotten stream anywhere, also in here.
        self._lock = RLock()

    def take(self, origin: Origin) -> Place[C] | None:
        """Give a place, best one whose connection leads to this origin, or nothing when all are busy."""
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].origin == origin:
                    place = self._idle[index]
                    del self._idle[index]
                    return place
            most = self._limits.max_connections
            if most is None or len(self._places) < most:
                return self._made(origin)
            return self._idle.popleft() if self._idle else None

    @contextmanager
    def line(self, turn: Turn[C], origin: Origin) -> Generator[None]:
        """Keep somebody in line while the block waits for the turn."""
        with self._lock:
            if self._is_closed:
                raise httpcore.PoolTimeout(_CLOSED)
            if place := self.take(origin):  # it came free meanwhile
                turn.set_result(place)
            else:
                self._waiting[turn] = None
        try:
            yield
        except BaseException as error:
            self._leave(turn)
            if isinstance(error, TimeoutError):
                raise httpcore.PoolTimeout(_ALL_BUSY) from None
            raise

    def keep(self, place: Place[C]) -> bool:
        """Give a place to the first in line, or note it as idle; ``False`` where its connection is to be closed."""
        with self._lock:
            while self._waiting:
                turn, _ = self._waiting.popitem(last=False)
                if not turn.done():  # it is where the task was cancelled and has not run since
                    turn.set_result(place)
                    return True
            if not self._is_closed:
                place.idle_since = monotonic()
                self._idle.append(place)
            return not self._is_closed

    def drop(self, place: Place[C]) -> None:
        """Forget a place, whose connection is to be closed; the first in line gets a new one."""
        with self._lock:
            self._places.discard(place)
            if self._waiting:
                self.keep(self._made(place.origin))

    def surplus(self) -> list[C]:
        """Forget the places that nobody has needed for long, and give their connections, to be closed."""
        most, seconds = self._limits.max_keepalive_connections, self._limits.keepalive_expiry
        old: list[Place[C]] = []
        with self._lock:
            while self._idle and (
                (most is not None and len(self._idle) > most)
                or (seconds is not None and monotonic() - self._idle[0].idle_since > seconds)
            ):
                old.append(self._idle.popleft())
            self._places.difference_update(old)
        return [place.connection for place in old if place.connection]

    def close(self) -> list[C]:
        """Send everybody in line away; forget all places and give their connections, to be closed."""
        with self._lock:
            self._is_closed = True
            for turn in self._waiting:
                if not turn.done():
                    turn.set_exception(httpcore.PoolTimeout(_CLOSED))
            found = [place.connection for place in self._places if place.connection]
            for those in (self._waiting, self._places, self._idle):
                those.clear()
        return found

    def _made(self, origin: Origin) -> Place[C]:
        place = Place[C](origin)
        self._places.add(place)
        return place

    def _leave(self, turn: Turn[C]) -> None:
        with self._lock:
            self._waiting.pop(turn, None)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.keep(turn.result())  # it was given in the same moment
