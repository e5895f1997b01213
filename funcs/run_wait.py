"""Wait for a run to end."""

from comfydeploy._drivers.waiting import wait, wait_async
from comfydeploy._wire.follower import OnAbandon
from comfydeploy._wire.wait_settings import OnUpdate, WaitSettings
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_watch import STEPS
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import WaitError
from comfydeploy.result import Result


def run_wait(
    core: ComfyDeployCore,
    run_id: str,
    options: RequestOptions | None = None,
    *,
    on_update: OnUpdate | None = None,
    on_abandon: OnAbandon = "leave",
) -> Result[WorkflowRunModel, WaitError]:
    """Wait until a run has ended and return it: ``Success(run)`` means that it has succeeded.

    Any other end is a ``RunFailed`` with the reason, a ``RunCancelled`` or a ``RunTimedOut``. A poll that fails is
    tried again; 401, 403 and 404 end the wait. ``RequestOptions.deadline`` (seconds) ends it with a
    ``DeadlineExceeded``; without one it ends when the server calls the run timed out, after 24 h of silence.
    ``on_update`` is called with each state that has changed. ``on_abandon="cancel"`` cancels the run, in at most 5 s,
    at the deadline, at Ctrl-C and when the task is cancelled; the interrupt is raised on, with the run's id as a note.
    """
    return wait(core, STEPS, run_id, WaitSettings(options, on_abandon, on_update=on_update))


async def run_wait_async(
    core: ComfyDeployCore,
    run_id: str,
    options: RequestOptions | None = None,
    *,
    on_update: OnUpdate | None = None,
    on_abandon: OnAbandon = "leave",
) -> Result[WorkflowRunModel, WaitError]:
    """Do what ``run_wait`` does, async."""
    return await wait_async(core, STEPS, run_id, WaitSettings(options, on_abandon, on_update=on_update))
