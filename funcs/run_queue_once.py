"""Queue a run once for its key."""

from datetime import datetime
from functools import partial
from typing import Final

from comfydeploy._drivers.steps import run_steps, run_steps_async
from comfydeploy._wire.queue_once import queueing_once
from comfydeploy._wire.run_search import Cache
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs.run_find import LISTS
from comfydeploy.funcs.run_queue_and_wait import SENDING
from comfydeploy.models.queued_once import QueuedOnce
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

SPAN: Final = "comfydeploy.run_queue_once"


def run_queue_once(
    core: ComfyDeployCore,
    request: AnyRunRequest,
    key: str,
    options: RequestOptions | None = None,
    *,
    settle: float = 60,
    since: datetime | None = None,
    cache: Cache | None = None,
) -> Result[QueuedOnce, Error]:
    """Return the run that carries a key, and create it where there is none.

    Calling again with the same key is safe: it searches first. A run that has failed is returned as well; a new attempt
    is a new key.

    It does not guarantee one run where two callers use a key at the same moment, or where a run appears only after
    ``settle`` seconds and the call is repeated before that. A batch, a native run and another execution mode are an
    ``SDKValidationError``; nothing is sent.

    It searches as ``run_find`` does, uploads files among the inputs as in ``inputs_upload``, and sends one ``POST
    /run/queue`` with the key. When the response is lost, late or a 5xx, it searches with backoff for ``settle``
    seconds. ``retries`` of the options are not used: searches are retried anyway.

    Args:
        core: The client: its key, its server and its connections.
        request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
        key: Text of 1 to 200 characters that names this run.
        options: What is different for this call: timeout, retries, headers, deadline.
        settle: Seconds to search for a run whose response was lost.
        since: The search ends at this aware time; without it, 24 hours before the newest run of the list.
        cache: Keeps the workflows of deployments and versions for further calls: a dictionary of yours.

    Returns:
        ``Success`` with ``run_id`` and whether the run was ``found``, or ``Failure``. ``fate`` of the error is that of
        the run: ``"not_sent"`` and ``"answered"`` mean that none was created, ``"unknown"`` that it was not found;
        ``hint`` says how to search again.
    """
    machine = partial(
        queueing_once, lists=LISTS, sending=SENDING, request=request, key=key, settle=settle, since=since, cache=cache
    )
    return run_steps(core, options, machine, SPAN)


async def run_queue_once_async(
    core: ComfyDeployCore,
    request: AnyRunRequest,
    key: str,
    options: RequestOptions | None = None,
    *,
    settle: float = 60,
    since: datetime | None = None,
    cache: Cache | None = None,
) -> Result[QueuedOnce, Error]:
    """Return the run that carries a key, and create it where there is none.

    The async version of ``run_queue_once``, which has the details.
    """
    machine = partial(
        queueing_once, lists=LISTS, sending=SENDING, request=request, key=key, settle=settle, since=since, cache=cache
    )
    return await run_steps_async(core, options, machine, SPAN)
