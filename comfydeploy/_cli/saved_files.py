"""Saving the files of runs in a folder; a signal ends it at once and leaves no partial file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from comfydeploy._cli.event_loop import run_async
from comfydeploy._cli.interrupts import Interrupts
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs.run_download import run_download_async
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import DownloadIncomplete
from comfydeploy.result import Result

Saved: TypeAlias = Result[list[Path], DownloadIncomplete | Error]


def saved_files(
    interrupts: Interrupts,
    core: ComfyDeployCore,
    run: WorkflowRunModel,
    folder: str,
    options: RequestOptions | None = None,
) -> Saved:
    """Save the files of one run."""
    (saved,) = saved_files_of(interrupts, core, [run], folder, options)
    return saved


def saved_files_of(
    interrupts: Interrupts,
    core: ComfyDeployCore,
    runs: Sequence[WorkflowRunModel | str],
    folder: str,
    options: RequestOptions | None = None,
    *,
    name: str | None = None,
    report: Callable[[WorkflowRunModel | str, Saved], object] = lambda _, __: None,
) -> list[Saved]:
    """Save the files of runs one after the other, and report each."""

    # Async, because the threads of the blocking function cannot be interrupted while they receive.
    async def save() -> list[Saved]:
        found: list[Saved] = []
        try:
            for run_or_id in runs:
                if name is None:
                    saved = await run_download_async(core, run_or_id, options, to=folder)
                else:
                    saved = await run_download_async(core, run_or_id, options, to=folder, name=name)
                report(run_or_id, saved)
                found.append(saved)
        finally:
            await core.aclose()
        return found

    return run_async(interrupts, save)


def saved_before(error: DownloadIncomplete | Error) -> Sequence[Path]:
    """Return the paths of the saved files where others are missing."""
    return error.saved if isinstance(error, DownloadIncomplete) else ()
