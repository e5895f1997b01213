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

    It looks for the key first (``since`` and ``cache`` as in ``run_find``). A run that is there is returned, also one
    that has failed: a new attempt is a new key. Otherwise files among the inputs are uploaded as in ``inputs_upload``,
    and the request is sent once, with the key. When its response is lost, late or a 5xx, it looks with backoff for
    ``settle`` seconds.

    ``fate`` of an error is that of the run: ``"not_sent"`` and a refusal of the server (``"answered"``) mean that none
    was created; ``"unknown"`` means that it was not found, and ``hint`` says how to look again. To call again with the
    same key is safe, and looks first. ``retries`` of the options are not used: looks are tried again anyway.

    It cannot promise one run where two callers use a key at the same moment, or where a run appears only after
    ``settle`` seconds and the call is repeated before that. A batch, a native run and another execution mode are an
    ``SDKValidationError``; nothing is sent.
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
    """Do what ``run_queue_once`` does, async."""
    machine = partial(
        queueing_once, lists=LISTS, sending=SENDING, request=request, key=key, settle=settle, since=since, cache=cache
    )
    return await run_steps_async(core, options, machine, SPAN)
