"""Watch a run: its states as they change, up to its end."""

from functools import partial
from time import monotonic
from typing import Final

from comfydeploy._drivers.run_life import RunLife
from comfydeploy._drivers.waiting import Operations, next_item, next_item_async
from comfydeploy._wire.steps import Cancel, Poll, ReadLogs, ReadNewerRows, ReadRows
from comfydeploy._wire.wait_settings import WaitSettings
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs import run_cancel, run_get, run_logs, runs_list, workflow_runs
from comfydeploy.options import RequestOptions
from comfydeploy.streaming import AsyncRunWatch, RunWatch

STEPS: Final[Operations] = {
    Poll: run_get.OPERATION,
    ReadRows: runs_list.OPERATION,
    ReadNewerRows: workflow_runs.OPERATION,
    ReadLogs: run_logs.OPERATION,
    Cancel: run_cancel.OPERATION,
}


def run_watch(core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None) -> RunWatch:
    """Return the states of a run as they change, up to its end.

    A state is yielded at each change of status, progress, live status, queue position or outputs.

    It sends what ``run_wait`` sends. Use it with ``with`` and ``for``; leaving it leaves the run alone. An item is
    ``Success(run)``, or ``Failure(PollFailed(error))`` for a poll that failed and is retried. The last item is the end
    of the run, which ``watch.result`` keeps: ``Success(run)`` of a run that has succeeded, else a ``WaitError``.
    Without a deadline it ends when the server marks the run as timed out, after 24 h of silence.

    Args:
        core: The client: its key, its server and its connections.
        run_id: The id of the run, a UUID.
        options: ``deadline`` (seconds) limits the watch; the rest is for each request.

    Returns:
        A ``RunWatch``, which is a context manager and an iterator. Wrong arguments are its only item, a ``Failure``.
    """
    settings = WaitSettings(options)
    follower, life = settings.follower(run_id, monotonic()), RunLife(run_id)
    return RunWatch(follower, partial(next_item, core, STEPS, settings, follower, life), partial(life.end, None))


def run_watch_async(core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None) -> AsyncRunWatch:
    """Return the states of a run as they change, up to its end.

    The async version of ``run_watch``, which has the details; it is not awaited, and its watch is for ``async with``
    and ``async for``.
    """
    settings = WaitSettings(options)
    follower, life = settings.follower(run_id, monotonic()), RunLife(run_id)
    following = partial(next_item_async, core, STEPS, settings, follower, life)
    return AsyncRunWatch(follower, following, partial(life.end, None))
