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
    """Create a run, wait until it has ended and return it: ``Success(run)`` means that it has succeeded.

    Files among the inputs are uploaded first, as in ``inputs_upload``. ``on_queued`` is called with the run's id before
    anything else. ``retries`` and ``retry_codes`` of the options are for the request that creates the run, of which
    ``fate`` of an error speaks, and for uploads. ``run_id`` of an error is set as soon as the run exists. A batch, a
    native run and another execution mode are an ``SDKValidationError``; nothing is sent. The rest is as in
    ``run_wait``.
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
    """Do what ``run_queue_and_wait`` does, async."""
    settings = WaitSettings(options, on_abandon, on_queued, on_update)
    return await queue_and_wait_async(core, SENDING, STEPS, request, settings)
