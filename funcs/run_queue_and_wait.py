"""Queue a run and wait for it to end."""

from typing import Final

from attrs import evolve

from comfydeploy._drivers.waiting import queue_and_wait, queue_and_wait_async
from comfydeploy._wire.follower import OnAbandon
from comfydeploy._wire.queue_once import Sending
from comfydeploy._wire.run_request import queueing_one
from comfydeploy._wire.wait_settings import OnQueued, OnUpdate, WaitSettings
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs import file_upload, run_queue
from comfydeploy.funcs.run_watch import STEPS
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import WaitError
from comfydeploy.result import Result

SENDING: Final = Sending(evolve(run_queue.OPERATION, encode=queueing_one), file_upload.OPERATION)


def run_queue_and_wait(
    core: ComfyDeployCore,
    request: AnyRunRequest,
    options: RequestOptions | None = None,
    *,
    on_queued: OnQueued | None = None,
    on_update: OnUpdate | None = None,
    on_abandon: OnAbandon = "leave",
) -> Result[WorkflowRunModel, WaitError]:
    """Create a run, wait for its end and return it if it has succeeded.

    Files among the inputs are uploaded first, as in ``inputs_upload``.

    It sends ``POST /run/queue`` and then what ``run_wait`` sends. ``retries`` and ``retry_codes`` are for the request
    that creates the run, of which ``fate`` of an error speaks, and for uploads. A batch, a native run and another
    execution mode are an ``SDKValidationError``; nothing is sent.

    Args:
        core: The client: its key, its server and its connections.
        request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
        options: ``deadline`` (seconds) limits the whole; the rest as for every call.
        on_queued: Called with the id of the run before anything else happens.
        on_update: Called with each state of the run that has changed.
        on_abandon: ``"leave"`` or ``"cancel"``: what becomes of the run at the deadline, at Ctrl-C and when the task is
            cancelled.

    Returns:
        ``Success`` with a run that has succeeded, or ``Failure``: the end of the run as in ``run_wait``, or the error
        of creating it. ``run_id`` of the error is set as soon as the run exists.
    """
    return queue_and_wait(core, SENDING, STEPS, request, WaitSettings(options, on_abandon, on_queued, on_update))


async def run_queue_and_wait_async(
    core: ComfyDeployCore,
    request: AnyRunRequest,
    options: RequestOptions | None = None,
    *,
    on_queued: OnQueued | None = None,
    on_update: OnUpdate | None = None,
    on_abandon: OnAbandon = "leave",
) -> Result[WorkflowRunModel, WaitError]:
    """Create a run, wait for its end and return it if it has succeeded.

    The async version of ``run_queue_and_wait``, which has the details.
    """
    settings = WaitSettings(options, on_abandon, on_queued, on_update)
    return await queue_and_wait_async(core, SENDING, STEPS, request, settings)
