"""Save the files of a run in a folder."""

import os
from pathlib import Path

from comfydeploy._drivers.run_files import FolderTerms, save, save_async
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs.run_get import OPERATION
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

    ``name`` is filled in with ``run_id``, ``index``, ``suffix``, ``filename``, ``stem``, ``kind``, ``output_id`` and
    ``node_id``. It is made safe, with at most 200 bytes; a name that is taken gets a number, so that no file is ever
    replaced. ``at_once`` files are received at a time. Where an address has expired, the run is read again. When files
    are missing, the error is a ``DownloadIncomplete`` with those that were saved. The rest is as in ``file_download``.
    """
    terms = FolderTerms(to, name, at_once)
    return save(core, OPERATION, run_or_id, options, terms)


async def run_download_async(
    core: ComfyDeployCore,
    run_or_id: WorkflowRunModel | str,
    options: RequestOptions | None = None,
    *,
    to: str | os.PathLike[str],
    name: str = "{run_id}-{index}{suffix}",
    at_once: int = 4,
) -> Result[list[Path], DownloadIncomplete | Error]:
    """Do what ``run_download`` does, async."""
    terms = FolderTerms(to, name, at_once)
    return await save_async(core, OPERATION, run_or_id, options, terms)
