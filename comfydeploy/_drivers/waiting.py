"""Waiting for a run: the loops that carry out the steps of its follower."""

from collections.abc import Mapping
from functools import partial
from random import random
from time import monotonic
from typing import Any, Final, TypeAlias, get_args

from attrs import evolve

from comfydeploy._drivers.steps import carry_out, carry_out_async, run_steps, run_steps_async
from comfydeploy._wire.follower import Follower
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.queue_once import Sending, queueing_with_files
from comfydeploy._wire.steps import Done, Emit, Request, Sleep
from comfydeploy._wire.timeline import Action, Send
from comfydeploy._wire.transport_errors import request_error
from comfydeploy._wire.wait_settings import WaitSettings
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error, SDKValidationError
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import WaitError, WatchItem
from comfydeploy.result import Failure, Result, Success

Operations: TypeAlias = Mapping[type[Request], Operation[Mapping[str, Any], Any]]
WaitResult: TypeAlias = Result[WorkflowRunModel, WaitError]

_ERRORS: Final = get_args(Error)
_IN_DOUBT: Final = "A run may have been created, and billed"


def next_item(core: ComfyDeployCore, operations: Operations, settings: WaitSettings, follower: Follower) -> WatchItem:
    """Carry out the steps of a follower up to its next item; the last item is its result."""
    while not isinstance(step := follower.step, Done):
        result = None
        if not isinstance(step, Emit):
            result = carry_out(core, settings.options, _action(operations, step, follower.run_id))
        follower.feed(result, monotonic(), random())  # noqa: S311 - jitter
        if isinstance(step, Emit):
            return step.item
    return step.result


async def next_item_async(
    core: ComfyDeployCore, operations: Operations, settings: WaitSettings, follower: Follower
) -> WatchItem:
    """Carry out the steps of a follower up to its next item, async."""
    while not isinstance(step := follower.step, Done):
        result = None
        if not isinstance(step, Emit):
            result = await carry_out_async(core, settings.options, _action(operations, step, follower.run_id))
        follower.feed(result, monotonic(), random())  # noqa: S311 - jitter
        if isinstance(step, Emit):
            return step.item
    return step.result


def wait(
    core: ComfyDeployCore, operations: Operations, run_id: str, settings: WaitSettings, began: float | None = None
) -> WaitResult:
    """Follow a run to its result; an interrupt abandons the run as the settings say, and is raised again."""
    follower = settings.follower(run_id, monotonic(), began)
    try:
        if began is not None:
            settings.queued(run_id)
        while follower.result is None:
            settings.updated(next_item(core, operations, settings, follower), follower)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - of a callback, and a function never raises
        _abandon(core, operations, settings, follower)
        return _named(Failure(request_error(error, "answered", closed=False)), run_id)
    except BaseException as interrupt:
        interrupt.add_note(f"The run is {run_id}")
        _abandon(core, operations, settings, follower)
        raise
    return _named(follower.result, run_id)


async def wait_async(
    core: ComfyDeployCore, operations: Operations, run_id: str, settings: WaitSettings, began: float | None = None
) -> WaitResult:
    """Follow a run to its result, async."""
    follower = settings.follower(run_id, monotonic(), began)
    try:
        if began is not None:
            settings.queued(run_id)
        while follower.result is None:
            settings.updated(await next_item_async(core, operations, settings, follower), follower)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - of a callback, and a function never raises
        await _abandon_async(core, operations, settings, follower)
        return _named(Failure(request_error(error, "answered", closed=False)), run_id)
    except GeneratorExit:  # the coroutine is closed, and nothing can be awaited any more
        raise
    except BaseException as interrupt:
        interrupt.add_note(f"The run is {run_id}")
        await _abandon_async(core, operations, settings, follower)
        raise
    return _named(follower.result, run_id)


def queue_and_wait(
    core: ComfyDeployCore,
    sending: Sending,
    operations: Operations,
    request: object,
    settings: WaitSettings,
) -> WaitResult:
    """Create a run and follow it to its result."""
    began = monotonic()
    problem = settings.problem()
    if problem is not None:
        return Failure(problem)
    try:
        machine = partial(queueing_with_files, sending=sending, request=request)
        created = run_steps(core, settings.options, machine)
    except BaseException as interrupt:
        interrupt.add_note(_IN_DOUBT)
        raise
    if not isinstance(created, Success):
        return created
    return wait(core, operations, created.unwrap().run_id, settings, began)


async def queue_and_wait_async(
    core: ComfyDeployCore,
    sending: Sending,
    operations: Operations,
    request: object,
    settings: WaitSettings,
) -> WaitResult:
    """Create a run and follow it to its result, async."""
    began = monotonic()
    problem = settings.problem()
    if problem is not None:
        return Failure(problem)
    try:
        machine = partial(queueing_with_files, sending=sending, request=request)
        created = await run_steps_async(core, settings.options, machine)
    except BaseException as interrupt:
        interrupt.add_note(_IN_DOUBT)
        raise
    if not isinstance(created, Success):
        return created
    return await wait_async(core, operations, created.unwrap().run_id, settings, began)


def _action(operations: Operations, step: Sleep | Request, run_id: str) -> Action:
    return step if isinstance(step, Sleep) else Send(operations[type(step)], step.arguments(run_id), step.seconds)


def _named(result: WaitResult, run_id: str) -> WaitResult:
    """Return the result of a wait with the run and the fate of its creation on every error."""
    if isinstance(result, Success):
        return result
    error = result.failure()
    if not isinstance(error, _ERRORS) or isinstance(error, SDKValidationError):
        return result
    known = evolve(error, run_id=run_id, fate="answered")
    known.__cause__ = error.__cause__
    return Failure(known)


def _abandon(core: ComfyDeployCore, operations: Operations, settings: WaitSettings, follower: Follower) -> None:
    follower.abandon(monotonic())
    while follower.result is None:
        next_item(core, operations, settings, follower)


async def _abandon_async(
    core: ComfyDeployCore, operations: Operations, settings: WaitSettings, follower: Follower
) -> None:
    from asyncio import CancelledError, create_task, shield

    async def finish() -> None:
        while follower.result is None:
            await next_item_async(core, operations, settings, follower)

    follower.abandon(monotonic())
    if follower.result is not None:
        return
    finishing = create_task(finish())
    while not finishing.done():
        try:
            await shield(finishing)
        except CancelledError:  # a second cancellation: the run is cancelled first, which takes 5 s at most
            continue
