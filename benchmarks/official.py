"""The official SDK in its own process and environment, where nothing else of this folder can be imported.

A line on standard input is a method of its ``run`` (``deployment.queue``), how many times to call it, how many of those
calls at once, and its arguments; the line on standard output is the seconds that it took, of CPU with ``cpu`` as the
second argument of the command.
"""

import asyncio
import json
import sys
from importlib import import_module
from operator import attrgetter
from time import perf_counter, process_time
from typing import Any

clock = process_time if sys.argv[2:] == ["cpu"] else perf_counter


def seconds(call: Any, times: int, arguments: dict[str, Any]) -> float:
    begin = clock()
    for _ in range(times):
        stream = getattr(call(**arguments), "run_stream", None)
        for _ in stream or ():
            pass
    return clock() - begin


async def seconds_awaited(call: Any, times: int, at_once: int, arguments: dict[str, Any]) -> float:
    left = iter(range(times))

    async def one_after_the_other() -> None:
        for _ in left:
            await call(**arguments)

    begin = clock()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return clock() - begin


def main(address: str) -> None:
    # By name, because to type checkers in the checkout the name is another package.
    client = import_module("comfydeploy").ComfyDeploy(bearer="token", server_url=address)
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            method, times, at_once, arguments = json.loads(line)
            call = attrgetter(method)(client.run)
            awaited = method.endswith("_async")
            taken = (
                runner.run(seconds_awaited(call, times, at_once, arguments))
                if awaited
                else seconds(call, times, arguments)
            )
            sys.stdout.write(f"{json.dumps(taken)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
