"""Upload the files among the inputs of a run."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from comfydeploy._drivers.steps import run_steps, run_steps_async
from comfydeploy._wire.input_files import uploading
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs import file_upload
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


def inputs_upload(
    core: ComfyDeployCore, inputs: Mapping[str, Any], options: RequestOptions | None = None
) -> Result[dict[str, Any], Error]:
    """Upload the files among inputs and return the inputs with their addresses.

    A file is a ``Path``, an open binary file or a pair ``(name, bytes)``; text is never taken for a path. Files of
    equal content are uploaded once. A list with files becomes the JSON text that an image batch takes. Each file is one
    ``POST /file/upload``.

    Args:
        core: The client: its key, its server and its connections.
        inputs: The inputs of a request.
        options: As for ``file_upload``, for each file; ``deadline`` is for all of them together.

    Returns:
        ``Success`` with new inputs, or ``Failure`` with the error of the first upload that failed.
    """
    return run_steps(core, options, partial(uploading, operation=file_upload.OPERATION, inputs=inputs))


async def inputs_upload_async(
    core: ComfyDeployCore, inputs: Mapping[str, Any], options: RequestOptions | None = None
) -> Result[dict[str, Any], Error]:
    """Upload the files among inputs and return the inputs with their addresses.

    The async version of ``inputs_upload``, which has the details.
    """
    return await run_steps_async(core, options, partial(uploading, operation=file_upload.OPERATION, inputs=inputs))
