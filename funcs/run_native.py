"""Describe a run for a machine of your own: ``POST /run`` with ``is_native_run``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.run_request import COLD_START, MAY_EXIST, form_name, overwriting
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.native_run import NativeRun
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "create_run_run_post",
    overwriting(is_native_run=True),
    returning(NativeRun),
    creates="run",
    read_timeout=COLD_START,
    hint=MAY_EXIST,
    form=form_name,
    has_secret=True,
)


def run_native(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[NativeRun, Error]:
    """Create a run for a machine of your own and return its graph and inputs.

    ``cd_token`` of the answer opens your account for 12 hours. It never prints; ``reveal()`` returns it.

    A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of the
    error before you send the request again.

    It sends ``POST /run`` with ``is_native_run``.

    Args:
        core: The client: its key, its server and its connections.
        request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with a ``NativeRun``, or ``Failure``.
    """
    return call(core, OPERATION, request, options)


async def run_native_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[NativeRun, Error]:
    """Create a run for a machine of your own and return its graph and inputs.

    The async version of ``run_native``, which has the details.
    """
    return await call_async(core, OPERATION, request, options)
