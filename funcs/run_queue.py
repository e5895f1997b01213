"""Queue a run: ``POST /run/queue``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import ANY_FORM, queueing
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.create_run import CreateRunResponse
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = queueing("create_run_queue_run_queue_post", "/run/queue", *ANY_FORM)


def run_queue(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[CreateRunResponse, Error]:
    """Create a run and return its id, without waiting for it.

    A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of the
    error before you send the request again.

    It sends ``POST /run/queue``. Reads wait 300 s by default, because a cold machine takes minutes. ``run_queue_once``
    makes a repeated call safe, ``run_queue_and_wait`` waits for the end.

    Args:
        core: The client: its key, its server and its connections.
        request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with ``run_id``, or ``Failure``: an ``HTTPValidationError`` (422) or an ``SDKError`` with status 404
        for a request that the server refuses, an ``SDKValidationError`` for one that is not sent.
    """
    return call(core, OPERATION, request, options)


async def run_queue_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[CreateRunResponse, Error]:
    """Create a run and return its id, without waiting for it.

    The async version of ``run_queue``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
