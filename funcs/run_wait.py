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
    """Wait for the end of a run and return it if it has succeeded.

    Without a deadline the wait ends when the server marks the run as timed out, after 24 h of silence.

    It sends ``GET /run/{run_id}`` at growing intervals, from 0.25 s to 1.5 s and after ten minutes 5 s, and looks up
    the reason of a failure. A poll that fails is retried; 401, 403 and 404 end the wait. Cancelling takes 5 s at most.
    An interrupt is raised again, with the id of the run as a note.

    Args:
        core: The client: its key, its server and its connections.
        run_id: The id of the run, a UUID.
        options: ``deadline`` (seconds) limits the wait; the rest is for each request.
        on_update: Called with each state of the run that has changed.
        on_abandon: ``"leave"`` or ``"cancel"``: what becomes of the run at the deadline, at Ctrl-C and when the task is
            cancelled.

    Returns:
        ``Success`` with a run that has succeeded, or ``Failure``: a ``RunFailed`` with the reason, a ``RunCancelled``,
        a ``RunTimedOut``, a ``DeadlineExceeded``, or the error of a poll that ended the wait.
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
    """Wait for the end of a run and return it if it has succeeded.

    The async version of ``run_wait``, which has the details.
    """
    return await wait_async(core, STEPS, run_id, WaitSettings(options, on_abandon, on_update=on_update))
