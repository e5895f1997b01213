"""Run and get the first file: ``POST /run`` with ``sync_first_result``."""

from typing import Final

from comfydeploy._drivers.files import Target, download, download_async
from comfydeploy._wire.operation import Operation, as_it_is
from comfydeploy._wire.run_request import MAY_EXIST, form_name, overwriting
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.media_file import MediaFile
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "create_run_run_post",
    overwriting(execution_mode="sync_first_result"),
    as_it_is,
    creates="run",
    accept="*/*",
    read_timeout=None,
    hint=MAY_EXIST,
    form=form_name,
)


def run_first_result(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None, *, to: Target | None = None
) -> Result[MediaFile, Error]:
    """Create a run, wait until it has ended and give its first file.

    ``to``, a path or a binary file, takes the bytes as they come, whatever their size; a path has its file when that is
    whole, and not before. ``execution_mode`` is set for you. A run without a file is an ``SDKError`` with status 400.
    """
    return download(core, OPERATION, request, options, to)


async def run_first_result_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None, *, to: Target | None = None
) -> Result[MediaFile, Error]:
    """Do what ``run_first_result`` does, awaited."""
    return await download_async(core, OPERATION, request, options, to)
