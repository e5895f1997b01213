"""Upload an asset."""

from functools import partial

from comfydeploy._drivers.steps import run_steps, run_steps_async
from comfydeploy._wire.asset_upload import storing
from comfydeploy._wire.upload import Progress, Source
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs import asset_get
from comfydeploy.models.asset import Asset
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


def asset_upload(
    core: ComfyDeployCore,
    file: Source,
    options: RequestOptions | None = None,
    *,
    parent_path: str = "/",
    name: str | None = None,
    progress: Progress | None = None,
) -> Result[Asset, Error]:
    """Store a file as an asset, which stays until it is deleted, and return the asset.

    The file goes to the storage itself, in pieces, so files of every kind and of up to 5 GiB are accepted. An open file
    is sent from its position on.

    It sends ``GET /assets/presigned-url``, a ``PUT`` to the signed address, which carries neither the token nor
    ``options.headers`` and which no hook of the core sees, and ``POST /assets/register``. That one is never repeated:
    where its response is lost, the asset is looked for by its id. With retries, the first two are repeated, a ``PUT``
    whose connection broke three times at most. The service does not check that the folder exists.

    Args:
        core: The client: its key, its server and its connections.
        file: A path, bytes, a binary file that can seek, or a file that a web framework received, as in
            ``file_upload``.
        options: What is different for this call: timeout, retries, headers, deadline.
        parent_path: The ``path`` of the folder that it is in; ``"/"`` for the root.
        name: The name for the server. It is required with bytes.
        progress: Called with the bytes sent so far and the size of the file.

    Returns:
        ``Success`` with the asset, or ``Failure``. ``fate`` of the error is that of the asset: ``"not_sent"`` and
        ``"answered"`` mean that there is none, ``"unknown"`` that it was not found.
    """
    machine = partial(
        storing, reading=asset_get.OPERATION, file=file, parent_path=parent_path, name=name, progress=progress
    )
    return run_steps(core, options, machine)


async def asset_upload_async(
    core: ComfyDeployCore,
    file: Source,
    options: RequestOptions | None = None,
    *,
    parent_path: str = "/",
    name: str | None = None,
    progress: Progress | None = None,
) -> Result[Asset, Error]:
    """Store a file as an asset, which stays until it is deleted, and return the asset.

    The async version of ``asset_upload``, which has the details.
    """
    machine = partial(
        storing, reading=asset_get.OPERATION, file=file, parent_path=parent_path, name=name, progress=progress
    )
    return await run_steps_async(core, options, machine)
