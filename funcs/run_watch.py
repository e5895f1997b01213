"""Watch a run: its states as they change, up to its end."""

from functools import partial
from time import monotonic
from typing import Final

from comfydeploy._drivers.run_life import RunLife
from comfydeploy._drivers.waiting import Operations, next_item, next_item_async
from comfydeploy._wire.steps import Cancel, Poll, ReadLogs, ReadPlaces, ReadRows
from comfydeploy._wire.wait_settings import WaitSettings
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs import run_cancel, run_get, run_logs, runs_list, workflow_runs
from comfydeploy.options import RequestOptions
from comfydeploy.streaming import AsyncRunWatch, RunWatch

STEPS: Final[Operations] = {
    Poll: run_get.OPERATION,
    ReadRows: runs_list.OPERATION,
    ReadPlaces: workflow_runs.OPERATION,
    ReadLogs: run_logs.OPERATION,
    Cancel: run_cancel.OPERATION,
}


def run_watch(core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None) -> RunWatch:
    """Return the states of a run as they change, for ``with`` and ``for``.

    An item is ``Success(run)`` at each change of status, progress, live status, queue position or outputs, or
    ``Failure(PollFailed(error))`` for a poll that failed and is tried again. The last item is the end, which
    ``watch.result`` keeps: ``Success(run)`` of a run that has succeeded, else a ``WaitError``. Without
    ``RequestOptions.deadline`` (seconds) a watch ends when the server calls the run timed out, after 24 h of silence.
    """
    settings = WaitSettings(options)
    follower, life = settings.follower(run_id, monotonic()), RunLife(run_id)
    return RunWatch(follower, partial(next_item, core, STEPS, settings, follower, life), partial(life.end, None))


def run_watch_async(core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None) -> AsyncRunWatch:
    """Do what ``run_watch`` does, for ``async with`` and ``async for``; it is not awaited itself."""
    settings = WaitSettings(options)
    follower, life = settings.follower(run_id, monotonic()), RunLife(run_id)
    following = partial(next_item_async, core, STEPS, settings, follower, life)
    return AsyncRunWatch(follower, following, partial(life.end, None))
