"""``client.run``: reading runs, their logs and files, and cancelling them, raising."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from comfydeploy._facade.events import AsyncRaisingStream, RaisingStream
from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.models.cancel_run import CancelRunResponse
    from comfydeploy.models.run import WorkflowRunModel
    from comfydeploy.models.run_log import RunLog, RunLogLine

_Options: TypeAlias = RequestOptions | None


class RunReading(Group):
    """Read and cancel runs; every method raises the error of a ``Failure``."""

    def get(self, run_id: str, options: _Options = None, *, queue_position: bool = False) -> "WorkflowRunModel":
        """Return the state of a run and its outputs so far.

        Args:
            run_id: The id of the run, a UUID.
            options: What is different for this call: timeout, retries, headers, deadline.
            queue_position: Also return the position of a waiting run in its queue.

        Raises:
            ComfyDeployError: What ``run_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_get import run_get

        return unwrap(run_get(self._core, run_id, options, queue_position=queue_position))

    async def get_async(
        self, run_id: str, options: _Options = None, *, queue_position: bool = False
    ) -> "WorkflowRunModel":
        """Return the state of a run and its outputs so far.

        Args:
            run_id: The id of the run, a UUID.
            options: What is different for this call: timeout, retries, headers, deadline.
            queue_position: Also return the position of a waiting run in its queue.

        Raises:
            ComfyDeployError: What ``run_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_get import run_get_async

        return unwrap(await run_get_async(self._core, run_id, options, queue_position=queue_position))

    # The name in the documentation of the original SDK.
    get_run_run_run_id_get = get
    get_run_run_run_id_get_async = get_async

    def cancel(self, run_id: str, options: _Options = None) -> "CancelRunResponse":
        """Cancel a run; its status becomes ``cancelled``.

        The answer is ``success`` also for a run that had ended, which stays as it is.

        Args:
            run_id: The id of the run, a UUID.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_cancel`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_cancel import run_cancel

        return unwrap(run_cancel(self._core, run_id, options))

    async def cancel_async(self, run_id: str, options: _Options = None) -> "CancelRunResponse":
        """Cancel a run; its status becomes ``cancelled``.

        The answer is ``success`` also for a run that had ended, which stays as it is.

        Args:
            run_id: The id of the run, a UUID.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_cancel`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_cancel import run_cancel_async

        return unwrap(await run_cancel_async(self._core, run_id, options))

    def logs(self, run_id: str, options: _Options = None) -> list["RunLog"]:
        """Return the archived log of a run that has ended.

        The server may have it only 30 s after the end.

        Args:
            run_id: The id of the run, a UUID.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_logs`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_logs import run_logs

        return unwrap(run_logs(self._core, run_id, options))

    async def logs_async(self, run_id: str, options: _Options = None) -> list["RunLog"]:
        """Return the archived log of a run that has ended.

        The server may have it only 30 s after the end.

        Args:
            run_id: The id of the run, a UUID.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_logs`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_logs import run_logs_async

        return unwrap(await run_logs_async(self._core, run_id, options))

    def logs_stream(self, run_id: str, options: _Options = None) -> RaisingStream["RunLogLine"]:
        """Return the lines of a run's log as they are written.

        The stream ends with the server's end mark, or where the server has no stream: then ``run_logs`` has the lines
        once the run has ended.

        Args:
            run_id: The id of the run, a UUID.
            options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

        Raises:
            ComfyDeployError: What ``run_logs_stream`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_logs_stream import run_logs_stream

        return RaisingStream(unwrap(run_logs_stream(self._core, run_id, options)))

    async def logs_stream_async(self, run_id: str, options: _Options = None) -> AsyncRaisingStream["RunLogLine"]:
        """Return the lines of a run's log as they are written.

        The stream ends with the server's end mark, or where the server has no stream: then ``run_logs`` has the lines
        once the run has ended.

        Args:
            run_id: The id of the run, a UUID.
            options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

        Raises:
            ComfyDeployError: What ``run_logs_stream`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_logs_stream import run_logs_stream_async

        return AsyncRaisingStream(unwrap(await run_logs_stream_async(self._core, run_id, options)))

    def download(
        self,
        run_or_id: "WorkflowRunModel | str",
        options: RequestOptions | None = None,
        *,
        to: str | os.PathLike[str],
        name: str = "{run_id}-{index}{suffix}",
        at_once: int = 4,
    ) -> list[Path]:
        """Save all files of a run in a folder and return their paths, in the order of ``run.files``.

        No file is ever replaced: a name that is taken gets a number.

        Args:
            run_or_id: The run, or its id.
            options: As for ``file_download``, for each file; ``deadline`` is for all of them together.
            to: The folder, which is created where it is missing.
            name: The name of a file, filled in with ``run_id``, ``index``, ``suffix``, ``filename``, ``stem``,
                ``kind``, ``output_id`` and ``node_id``. It is made safe, with at most 200 bytes.
            at_once: How many files are received at a time.

        Raises:
            ComfyDeployError: What ``run_download`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_download import run_download

        return unwrap(run_download(self._core, run_or_id, options, to=to, name=name, at_once=at_once))

    async def download_async(
        self,
        run_or_id: "WorkflowRunModel | str",
        options: RequestOptions | None = None,
        *,
        to: str | os.PathLike[str],
        name: str = "{run_id}-{index}{suffix}",
        at_once: int = 4,
    ) -> list[Path]:
        """Save all files of a run in a folder and return their paths, in the order of ``run.files``.

        No file is ever replaced: a name that is taken gets a number.

        Args:
            run_or_id: The run, or its id.
            options: As for ``file_download``, for each file; ``deadline`` is for all of them together.
            to: The folder, which is created where it is missing.
            name: The name of a file, filled in with ``run_id``, ``index``, ``suffix``, ``filename``, ``stem``,
                ``kind``, ``output_id`` and ``node_id``. It is made safe, with at most 200 bytes.
            at_once: How many files are received at a time.

        Raises:
            ComfyDeployError: What ``run_download`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_download import run_download_async

        return unwrap(await run_download_async(self._core, run_or_id, options, to=to, name=name, at_once=at_once))
