"""Run and get the first file: ``POST /run`` with ``sync_first_result``."""

from typing import Final

from comfydeploy._drivers.files import download, download_async
from comfydeploy._drivers.sinks import Target
from comfydeploy._wire.operation import Operation, as_it_is
from comfydeploy._wire.run_request import WITHOUT_IMAGE, form_name, overwriting
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
    hint=WITHOUT_IMAGE,
    form=form_name,
)


def run_first_result(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None, *, to: Target | None = None
) -> Result[MediaFile, Error]:
    """Create a run, wait until it has ended and return its first image.

    The server looks at the images of the newest output alone: a run that succeeds with text, video or anything else is
    an ``SDKError`` with status 500 or 400. It exists and is billed: read it, or use ``run_queue`` for such a workflow.

    ``to``, a path or a binary file, takes the bytes as they come, whatever their size; a path has its file when that is
    whole, and not before. ``execution_mode`` is set for you. By default there is no limit to the wait for the response:
    ``options.timeout`` sets one.
    """
    return download(core, OPERATION, request, options, to)


async def run_first_result_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None, *, to: Target | None = None
) -> Result[MediaFile, Error]:
    """Do what ``run_first_result`` does, awaited."""
    return await download_async(core, OPERATION, request, options, to)
