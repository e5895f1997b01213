"""``client.progress``: the changes of many runs, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.events import AsyncRaisingStream, RaisingStream
from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.models.run_progress import RunProgress


class Progress(Group):
    """Follow the runs of a workflow; every method raises the error of a ``Failure``."""

    def stream(
        self, workflow_id: str, options: RequestOptions | None = None, *, return_run: bool = False
    ) -> RaisingStream["RunProgress"]:
        """Return the changes of all runs of a workflow as they happen.

        The stream begins with the next change: earlier ones, and those that happen while no reader is connected, are
        never sent. It has no end, and is silent while nothing changes: ``idle_timeout`` is the limit. So it is a hint
        to read a run now, and never the proof that nothing has happened.

        Args:
            workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
            options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.
            return_run: ``True`` for changes with the whole ``run``, its outputs included.

        Raises:
            ComfyDeployError: What ``progress_stream`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.progress_stream import progress_stream

        return RaisingStream(unwrap(progress_stream(self._core, workflow_id, options, return_run=return_run)))

    async def stream_async(
        self, workflow_id: str, options: RequestOptions | None = None, *, return_run: bool = False
    ) -> AsyncRaisingStream["RunProgress"]:
        """Return the changes of all runs of a workflow as they happen.

        The stream begins with the next change: earlier ones, and those that happen while no reader is connected, are
        never sent. It has no end, and is silent while nothing changes: ``idle_timeout`` is the limit. So it is a hint
        to read a run now, and never the proof that nothing has happened.

        Args:
            workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
            options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.
            return_run: ``True`` for changes with the whole ``run``, its outputs included.

        Raises:
            ComfyDeployError: What ``progress_stream`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.progress_stream import progress_stream_async

        return AsyncRaisingStream(
            unwrap(await progress_stream_async(self._core, workflow_id, options, return_run=return_run))
        )
