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
    """Create a run, wait for its end and return its first image.

    The server looks at the images of the newest output alone: a run that succeeds with text, video or anything else is
    an ``SDKError`` with status 500 or 400. It exists and is billed.

    It sends ``POST /run`` with ``sync_first_result`` as the ``execution_mode``. Use ``run_queue_and_wait`` for a
    workflow with other outputs.

    Args:
        core: The client: its key, its server and its connections.
        request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
        options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.
        to: Where the bytes go as they arrive: a path, which gets the file when it is whole, or a binary file.

    Returns:
        ``Success`` with a ``MediaFile``, whose ``content`` is empty where ``to`` has the bytes, or ``Failure``.
    """
    return download(core, OPERATION, request, options, to)


async def run_first_result_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None, *, to: Target | None = None
) -> Result[MediaFile, Error]:
    """Create a run, wait for its end and return its first image.

    The async version of ``run_first_result``, which has the details.
    """
    return await download_async(core, OPERATION, request, options, to)
