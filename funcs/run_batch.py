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
    """Create ``batch_number`` runs, or one for every combination of ``batch_input_params``, and give the batch's id.

    The server tells nothing else: not how many runs there are nor their ids, and no route lists them by batch. Find
    them in ``runs_list``, whose rows have ``batch_id``, or give a ``webhook``. A batch cannot be cancelled.
    """
    return call(core, OPERATION, request, options)


async def run_batch_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[CreateRunBatchResponse, Error]:
    """Do what ``run_batch`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
