"""Save the files of a run in a folder."""

import os
from pathlib import Path

from comfydeploy._drivers.run_files import FolderTerms, save, save_async
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs import run_get
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import DownloadIncomplete
from comfydeploy.result import Result


def run_download(
    core: ComfyDeployCore,
    run_or_id: WorkflowRunModel | str,
    options: RequestOptions | None = None,
    *,
    to: str | os.PathLike[str],
    name: str = "{run_id}-{index}{suffix}",
    at_once: int = 4,
) -> Result[list[Path], DownloadIncomplete | Error]:
    """Save all files of a run in a folder and return their paths, in the order of ``run.files``.

    No file is ever replaced: a name that is taken gets a number.

    Where an address has expired, the run is read again (``GET /run/{run_id}``). The rest is as in ``file_download``.

    Args:
        core: The client: its key, its server and its connections.
        run_or_id: The run, or its id.
        options: As for ``file_download``, for each file; ``deadline`` is for all of them together.
        to: The folder, which is created where it is missing.
        name: The name of a file, filled in with ``run_id``, ``index``, ``suffix``, ``filename``, ``stem``, ``kind``,
            ``output_id`` and ``node_id``. It is made safe, with at most 200 bytes.
        at_once: How many files are received at a time.

    Returns:
        ``Success`` with the paths, or ``Failure``: a ``DownloadIncomplete`` with the files that were saved and those
        that are missing, or the error of reading the run.
    """
    terms = FolderTerms(to, name, at_once)
    return save(core, run_get.OPERATION, run_or_id, options, terms)


async def run_download_async(
    core: ComfyDeployCore,
    run_or_id: WorkflowRunModel | str,
    options: RequestOptions | None = None,
    *,
    to: str | os.PathLike[str],
    name: str = "{run_id}-{index}{suffix}",
    at_once: int = 4,
) -> Result[list[Path], DownloadIncomplete | Error]:
    """Save all files of a run in a folder and return their paths, in the order of ``run.files``.

    The async version of ``run_download``, which has the details.
    """
    terms = FolderTerms(to, name, at_once)
    return await save_async(core, run_get.OPERATION, run_or_id, options, terms)
