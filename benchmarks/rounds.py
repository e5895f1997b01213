"""Contenders in turns: whatever else the machine does in a round, it does to all of them."""

import gc
from asyncio import Runner
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import TypeAlias

Measure: TypeAlias = Callable[[], float]
"""Does some work and gives the seconds that one piece of it took."""


def in_turns(contenders: Mapping[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Give the seconds of each contender, one for each round."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    order = deque(contenders.items())
    for _, measure in order:  # opens connections, fills caches
        measure()
    for _ in range(rounds):
        for name, measure in order:
            gc.collect()  # nobody pays for the garbage of the one before
            taken[name].append(measure())
        order.rotate()
    return taken


def each(work: Callable[[], object], times: int, pieces: int = 1) -> Measure:
    """Measure one of the ``pieces`` of a work that is done so many times."""

    def measure() -> float:
        begin = perf_counter()
        for _ in range(times):
            work()
        return (perf_counter() - begin) / times / pieces

    return measure


def each_awaited(runner: Runner, work: Callable[[], Awaitable[object]], times: int) -> Measure:
    """Measure one of a work that is awaited so many times, one after the other."""

    async def measure() -> float:
        begin = perf_counter()
        for _ in range(times):
            await work()
        return (perf_counter() - begin) / times

    return lambda: runner.run(measure())
