"""The emulator's only source of time."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, Final, Literal, TypeVar

V = TypeVar("V")

# How many turns other tasks get before time goes on: more than a request needs to reach its next wait.
_TURNS: Final = 10
BEGINNING: Final = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


class Clock:
    """The wall clock, with waits stretched by ``pace`` (0: no waiting at all)."""

    def __init__(self, pace: float) -> None:
        self.pace: Final = pace

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` times the pace; at pace 0 only let others run."""
        await asyncio.sleep(seconds * self.pace)

    def task(self, work: Coroutine[Any, Any, V]) -> asyncio.Task[V]:
        """Begin work that this clock waits for: time goes on only while it sleeps or when it is done."""
        return asyncio.create_task(work)

    async def advance(self, seconds: float) -> None:  # noqa: ARG002 - what other clocks take
        """Refuse: real time passes by itself."""
        raise RuntimeError("Only the emulator with clock='manual' can be advanced")


class ManualClock(Clock):
    """A clock that begins at ``BEGINNING`` and stands still until it is advanced."""

    def __init__(self, pace: float) -> None:
        super().__init__(pace)
        self._now = BEGINNING
        self._order: Final = count()
        self._sleepers: Final[list[tuple[datetime, int, asyncio.Future[None], bool]]] = []
        self._tasks: Final[set[asyncio.Task[Any]]] = set()
        self._awake = 0
        self._stillness: asyncio.Future[None] | None = None

    def now(self) -> datetime:
        """Return the moment at which the clock stands."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been advanced by ``seconds`` times the pace."""
        if seconds * self.pace <= 0:
            await asyncio.sleep(0)
            return
        waker = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=seconds * self.pace)
        # A request may sleep as well. The clock does not wait for its work, and so not for its sleep either.
        is_work = asyncio.current_task() in self._tasks
        heappush(self._sleepers, (due, next(self._order), waker, is_work))
        if is_work:
            self._rest()
        try:
            await waker
        finally:
            # A task that the clock wakes has been counted already, so that time stands still from then on.
            if is_work and waker.cancelled():
                self._awake += 1

    def task(self, work: Coroutine[Any, Any, V]) -> asyncio.Task[V]:
        """Begin work; time goes on only while all work sleeps or is done."""
        task = super().task(work)
        self._tasks.add(task)
        self._awake += 1
        task.add_done_callback(self._end)
        return task

    async def advance(self, seconds: float) -> None:
        """Advance by ``seconds``: wake each sleeper that is due, in order, and wait for its work."""
        if not 0 <= seconds < inf:
            raise ValueError(f"seconds must be a number, 0 or more, not {seconds}")
        end = self._now + timedelta(seconds=seconds)
        # A task that was just cancelled in its sleep runs first.
        await asyncio.sleep(0)
        await self._wait_for_work()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, waker, is_work = heappop(self._sleepers)
            if not waker.done():
                self._now = due
                self._awake += is_work
                waker.set_result(None)
                # The clock does not wait for what a request does next: its client may be slow. A fast client receives
                # one late chunk after the other, each at its time.
                for _ in range(0 if is_work else _TURNS):
                    await asyncio.sleep(0)
                await self._wait_for_work()
        self._now = end

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._rest()

    def _rest(self) -> None:
        self._awake -= 1
        if not self._awake and self._stillness:
            self._stillness.set_result(None)
            self._stillness = None

    async def _wait_for_work(self) -> None:
        while self._awake:
            self._stillness = asyncio.get_running_loop().create_future()
            try:
                await self._stillness
            finally:
                self._stillness = None


def chosen_clock(kind: Literal["real", "manual"], pace: float) -> Clock:
    """Create a clock; raise ``ValueError`` for an invalid choice."""
    if not 0 <= pace < inf:
        raise ValueError(f"pace must be a number, 0 or more, not {pace}")
    if kind not in {"real", "manual"}:
        raise ValueError(f"clock must be 'real' or 'manual', not {kind!r}")
    return ManualClock(pace) if kind == "manual" else Clock(pace)


def to_milliseconds(moment: datetime) -> str:
    """Write a moment as webhooks do: ``2026-11-23T18:59:43.726Z``."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def to_naive(moment: datetime) -> str:
    """Write a moment as session answers do, without saying that it is UTC: ``2026-11-23T18:59:43.726123``."""
    return moment.replace(tzinfo=None).isoformat()


def to_microseconds(moment: datetime) -> str:
    """Write a moment as run answers do, to the millisecond: ``2026-11-23T18:59:43.726000Z``."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "000Z"
