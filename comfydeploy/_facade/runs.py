"""``client.runs``: the lists of runs, raising."""

import builtins
from collections.abc import AsyncIterator, Iterator

from attrs import frozen

from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.runs_list import runs_list, runs_list_async
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


@frozen
class Runs:
    """List runs; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    def list(
        self,
        workflow_id: str,
        options: RequestOptions | None = None,
        *,
        limit: int = 50,
        offset: int = 0,
        with_outputs: bool | None = None,
        with_inputs: bool | None = None,
    ) -> Iterator[builtins.list[WorkflowRunRow]]:
        """Yield the runs of a workflow page by page; see ``runs_list``."""
        chosen = {"with_outputs": with_outputs, "with_inputs": with_inputs}
        return map(unwrap, runs_list(self._core, workflow_id, options, limit=limit, offset=offset, **chosen))

    async def list_async(
        self,
        workflow_id: str,
        options: RequestOptions | None = None,
        *,
        limit: int = 50,
        offset: int = 0,
        with_outputs: bool | None = None,
        with_inputs: bool | None = None,
    ) -> AsyncIterator[builtins.list[WorkflowRunRow]]:
        """Yield the runs of a workflow page by page; see ``runs_list``."""
        chosen = {"with_outputs": with_outputs, "with_inputs": with_inputs}
        async for page in runs_list_async(self._core, workflow_id, options, limit=limit, offset=offset, **chosen):
            yield unwrap(page)
