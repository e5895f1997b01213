"""Contenders in turns, so that other work of the machine in a round affects all of them."""

import gc
from asyncio import Runner
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import TypeAlias

Measure: TypeAlias = Callable[[], float]
"""Does some work and returns the seconds for one piece of it."""


def in_turns(contenders: Mapping[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each contender, one for each round."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    order = deque(contenders.items())
    for _, measure in order:  # opens connections, fills caches
        measure()
    for _ in range(rounds):
        for name, measure in order:
            gc.collect()  # so that garbage of the one before is not measured
            taken[name].append(measure())
        order.rotate()
    return taken


def each(
    work: Callable[[], object], times: int, pieces: int = 1, *, clock: Callable[[], float] = perf_counter
) -> Measure:
    """Measure one of the ``pieces`` of a function that is called a number of times; ``process_time`` measures CPU."""

    def measure() -> float:
        begin = clock()
        for _ in range(times):
            work()
        return (clock() - begin) / times / pieces

    return measure


def each_awaited(
    runner: Runner, work: Callable[[], Awaitable[object]], times: int, *, clock: Callable[[], float] = perf_counter
) -> Measure:
    """Measure one call of a coroutine function that is awaited a number of times, one after the other."""

    async def measure() -> float:
        begin = clock()
        for _ in range(times):
            await work()
        return (clock() - begin) / times

    return lambda: runner.run(measure())
