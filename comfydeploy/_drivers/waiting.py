"""Waiting for a run: the loops that carry out the steps of its follower."""

from collections.abc import Mapping
from functools import partial
from random import random
from time import monotonic
from typing import Any, Final, TypeAlias, get_args

from attrs import evolve

from comfydeploy._drivers.run_life import RunLife
from comfydeploy._drivers.steps import carry_out, carry_out_async, run_steps, run_steps_async
from comfydeploy._wire.follower import Follower
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.queue_once import Sending, queueing_with_files
from comfydeploy._wire.steps import Done, Emit, Poll, Request, Sleep
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


def next_item(
    core: ComfyDeployCore, operations: Operations, settings: WaitSettings, follower: Follower, life: RunLife
) -> WatchItem:
    """Carry out the steps of a follower up to its next item; the last item is its result."""
    with life:
        while not isinstance(step := follower.step, Done):
            result: Any = None
            if not isinstance(step, Emit):
                result = carry_out(core, settings.options, _action(operations, step, follower.run_id))
            if isinstance(step, Poll):
                life.polled(result)
            follower.feed(result, monotonic(), random())  # noqa: S311 - jitter
            if isinstance(step, Emit):
                return step.item
    life.end(step.result)
    return step.result


async def next_item_async(
    core: ComfyDeployCore, operations: Operations, settings: WaitSettings, follower: Follower, life: RunLife
) -> WatchItem:
    """Carry out the steps of a follower up to its next item, async."""
    with life:
        while not isinstance(step := follower.step, Done):
            result: Any = None
            if not isinstance(step, Emit):
                result = await carry_out_async(core, settings.options, _action(operations, step, follower.run_id))
            if isinstance(step, Poll):
                life.polled(result)
            follower.feed(result, monotonic(), random())  # noqa: S311 - jitter
            if isinstance(step, Emit):
                return step.item
    life.end(step.result)
    return step.result


def wait(
    core: ComfyDeployCore, operations: Operations, run_id: str, settings: WaitSettings, life: RunLife | None = None
) -> WaitResult:
    """Follow a run to its result; an interrupt abandons the run as the settings say, and is raised again."""
    life = life or RunLife(run_id)
    follower = settings.follower(run_id, monotonic(), life.began)
    try:
        if life.began is not None:
            settings.queued(run_id)
        while follower.result is None:
            settings.updated(next_item(core, operations, settings, follower, life), follower)
        life.end(follower.result)
        return _named(follower.result, run_id)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - of a callback, and a function never raises
        _abandon(core, operations, settings, follower, life)
        return _named(Failure(request_error(error, "answered", closed=False)), run_id)
    except BaseException as interrupt:
        _note(interrupt, run_id)
        _abandon(core, operations, settings, follower, life)
        raise


async def wait_async(
    core: ComfyDeployCore, operations: Operations, run_id: str, settings: WaitSettings, life: RunLife | None = None
) -> WaitResult:
    """Follow a run to its result, async."""
    life = life or RunLife(run_id)
    follower = settings.follower(run_id, monotonic(), life.began)
    try:
        if life.began is not None:
            settings.queued(run_id)
        while follower.result is None:
            settings.updated(await next_item_async(core, operations, settings, follower, life), follower)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - of a callback, and a function never raises
        await _abandon_async(core, operations, settings, follower, life)
        return _named(Failure(request_error(error, "answered", closed=False)), run_id)
    except GeneratorExit:  # the coroutine is closed, and nothing can be awaited any more
        life.end(None)
        raise
    except BaseException as interrupt:
        _note(interrupt, run_id)
        await _abandon_async(core, operations, settings, follower, life)
        raise
    life.end(follower.result)
    return _named(follower.result, run_id)


def queue_and_wait(
    core: ComfyDeployCore,
    sending: Sending,
    operations: Operations,
    request: object,
    settings: WaitSettings,
) -> WaitResult:
    """Create a run and follow it to its result."""
    problem = settings.problem()
    if problem is not None:
        return Failure(problem)
    life, run_id = RunLife(began=monotonic()), None
    try:
        machine = partial(queueing_with_files, sending=sending, request=request)
        with life:
            created = run_steps(core, settings.options, machine)
        if not isinstance(created, Success):
            life.end(created)
            return created
        run_id = created.unwrap().run_id
        life.created(run_id)
        return wait(core, operations, run_id, settings, life)
    except BaseException as interrupt:
        _note(interrupt, run_id)
        life.end(None)
        raise


async def queue_and_wait_async(
    core: ComfyDeployCore,
    sending: Sending,
    operations: Operations,
    request: object,
    settings: WaitSettings,
) -> WaitResult:
    """Create a run and follow it to its result, async."""
    problem = settings.problem()
    if problem is not None:
        return Failure(problem)
    life, run_id = RunLife(began=monotonic()), None
    try:
        machine = partial(queueing_with_files, sending=sending, request=request)
        with life:
            created = await run_steps_async(core, settings.options, machine)
        if not isinstance(created, Success):
            life.end(created)
            return created
        run_id = created.unwrap().run_id
        life.created(run_id)
        return await wait_async(core, operations, run_id, settings, life)
    except BaseException as interrupt:
        _note(interrupt, run_id)
        life.end(None)
        raise


def _note(interrupt: BaseException, run_id: str | None) -> None:
    """Add the run to an interrupt, once, or that one may exist."""
    note = _IN_DOUBT if run_id is None else f"The run is {run_id}"
    if note not in getattr(interrupt, "__notes__", ()):
        interrupt.add_note(note)


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


def _abandon(
    core: ComfyDeployCore, operations: Operations, settings: WaitSettings, follower: Follower, life: RunLife
) -> None:
    follower.abandon(monotonic())
    while follower.result is None:
        next_item(core, operations, settings, follower, life)
    life.end(follower.result)


async def _abandon_async(
    core: ComfyDeployCore, operations: Operations, settings: WaitSettings, follower: Follower, life: RunLife
) -> None:
    from asyncio import CancelledError, create_task, shield

    async def finish() -> None:
        while follower.result is None:
            await next_item_async(core, operations, settings, follower, life)

    follower.abandon(monotonic())
    if follower.result is not None:
        life.end(follower.result)
        return
    finishing = create_task(finish())
    while not finishing.done():
        try:
            await shield(finishing)
        except CancelledError:  # a second cancellation: the run is cancelled first, which takes 5 s at most
            continue
