"""The event loop of a command, whose work a signal cancels."""

from asyncio import CancelledError, Runner, current_task, get_running_loop
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from comfydeploy._cli.interrupts import Interrupts

T = TypeVar("T")


def run_async(interrupts: Interrupts, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end; at a signal it is cancelled, and ``Interrupted`` is raised once it has ended."""
    results: list[T] = []

    async def main() -> None:
        task, loop = current_task(), get_running_loop()

        def cancel() -> None:
            if task is not None:
                task.cancel()
            loop.call_soon_threadsafe(lambda: None)  # which wakes the loop

        interrupts.react(cancel)
        results.append(await work())

    with interrupts.deferred(), suppress(CancelledError), Runner() as runner:
        runner.run(main())
    return results[0]
