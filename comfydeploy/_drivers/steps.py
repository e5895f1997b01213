"""The drivers of machines: one blocking loop and one async loop that carry out steps."""

import time
from collections.abc import Callable
from random import random
from time import monotonic
from typing import Any, TypeAlias, TypeVar

from comfydeploy._drivers.call import call, call_async
from comfydeploy._drivers.run_life import traced
from comfydeploy._wire.settings import within
from comfydeploy._wire.steps import Answer, Sleep
from comfydeploy._wire.timeline import Action, Actions, Compute, Store, Timeline
from comfydeploy._wire.transport_errors import request_error
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import ComfyDeployError, Error, Fate
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Result

V = TypeVar("V")
Machine: TypeAlias = Callable[[Timeline], Actions[Result[V, Error]]]


def run_steps(
    core: ComfyDeployCore, options: RequestOptions | None, machine: Machine[V], name: str | None = None
) -> Result[V, Error]:
    """Carry out the steps of a machine and return its result; with a name, a span is over them."""
    if name is not None:
        with traced(name) as work:
            result = run_steps(core, options, machine)
            work.end(result)
            return result
    fate: Fate = "not_sent"
    try:
        steps = machine(Timeline.beginning(options, monotonic()))
        action = next(steps)
        fate = "unknown"  # from the first step on
        while True:
            result = carry_out(core, options, action)
            action = steps.send(Answer(result, monotonic(), random()))  # noqa: S311 - jitter
    except StopIteration as stop:
        ended: Result[V, Error] = stop.value
        return ended
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _failure(error, fate)


async def run_steps_async(
    core: ComfyDeployCore, options: RequestOptions | None, machine: Machine[V], name: str | None = None
) -> Result[V, Error]:
    """Carry out the steps of a machine and return its result, async."""
    if name is not None:
        with traced(name) as work:
            result = await run_steps_async(core, options, machine)
            work.end(result)
            return result
    fate: Fate = "not_sent"
    try:
        steps = machine(Timeline.beginning(options, monotonic()))
        action = next(steps)
        fate = "unknown"  # from the first step on
        while True:
            result = await carry_out_async(core, options, action)
            action = steps.send(Answer(result, monotonic(), random()))  # noqa: S311 - jitter
    except StopIteration as stop:
        ended: Result[V, Error] = stop.value
        return ended
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _failure(error, fate)


def carry_out(core: ComfyDeployCore, options: RequestOptions | None, action: Action) -> Any:
    """Carry out one step and return its outcome."""
    if isinstance(action, Sleep):
        return time.sleep(action.seconds)
    if isinstance(action, Compute):
        return action.work()
    if isinstance(action, Store):
        from comfydeploy._drivers.storage_uploads import store  # loads what few machines need

        return store(core, action, options)
    chosen = within(options, action.seconds, retries=action.retries)
    return call(core, action.operation, action.argument, chosen)


async def carry_out_async(core: ComfyDeployCore, options: RequestOptions | None, action: Action) -> Any:
    """Carry out one step and return its outcome, async."""
    if isinstance(action, Sleep):
        from asyncio import sleep

        return await sleep(action.seconds)
    if isinstance(action, Compute):
        from asyncio import to_thread

        return await to_thread(action.work)
    if isinstance(action, Store):
        from comfydeploy._drivers.storage_uploads import store_async

        return await store_async(core, action, options)
    chosen = within(options, action.seconds, retries=action.retries)
    return await call_async(core, action.operation, action.argument, chosen)


def _failure(error: Exception, fate: Fate) -> Failure[Error]:
    if isinstance(error, ComfyDeployError):
        known: Any = error.with_traceback(None)  # so that no frames are kept alive
        return Failure(known)
    return Failure(request_error(error, fate, closed=False))
