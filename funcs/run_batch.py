"""Run a batch: ``POST /run`` with ``batch_number`` or ``batch_input_params``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.run_request import COLD_START, MAY_EXIST, batch, form_name
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_batch import CreateRunBatchResponse
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "create_run_run_post",
    batch,
    returning(CreateRunBatchResponse),
    creates="run",
    read_timeout=COLD_START,
    hint=MAY_EXIST,
    form=form_name,
)


def run_batch(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[CreateRunBatchResponse, Error]:
    """Create the runs of a batch and return the id that they share.

    The server sends neither their number nor their ids, and no route lists them by batch: their rows in ``runs_list``
    have the ``batch_id``. A batch cannot be cancelled.

    A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of the
    error before you send the request again.

    It sends ``POST /run``. Reads wait 300 s by default, because a cold machine takes minutes.

    Args:
        core: The client: its key, its server and its connections.
        request: A request with ``batch_number`` (so many runs) or ``batch_input_params`` (one run for each combination
            of the values).
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with ``batch_id``, or ``Failure``.
    """
    return call(core, OPERATION, request, options)


async def run_batch_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[CreateRunBatchResponse, Error]:
    """Create the runs of a batch and return the id that they share.

    The async version of ``run_batch``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
