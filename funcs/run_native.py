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
    """Create a run that you run yourself and give its graph and its inputs.

    ``is_native_run`` is set for you. The answer's ``cd_token`` opens your account for 12 hours; it never prints.
    """
    return call(core, OPERATION, request, options)


async def run_native_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[NativeRun, Error]:
    """Do what ``run_native`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
