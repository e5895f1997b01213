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

    A file is a ``Path``, an open binary file or a pair ``(name, bytes)``. Text is never taken for a path. Files of
    equal content are uploaded once. A list with files becomes the JSON text that an image batch takes. ``deadline`` of
    the options is for all uploads together, everything else for each.
    """
    return run_steps(core, options, partial(uploading, operation=file_upload.OPERATION, inputs=inputs))


async def inputs_upload_async(
    core: ComfyDeployCore, inputs: Mapping[str, Any], options: RequestOptions | None = None
) -> Result[dict[str, Any], Error]:
    """Do what ``inputs_upload`` does, async."""
    return await run_steps_async(core, options, partial(uploading, operation=file_upload.OPERATION, inputs=inputs))
