"""``client.runs``: the lists of runs, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy._facade.pages import AsyncRaisingPages, RaisingPages
from comfydeploy.options import RequestOptions

if TYPE_CHECKING:
    from comfydeploy.models.run_row import WorkflowRunRow


class Runs(Group):
    """List runs; every method raises the error of a ``Failure``."""

    def list(
        self,
        workflow_id: str,
        options: RequestOptions | None = None,
        *,
        limit: int = 50,
        offset: int = 0,
        with_outputs: bool | None = None,
        with_inputs: bool | None = None,
    ) -> RaisingPages["WorkflowRunRow"]:
        """Yield the runs of a workflow with their inputs and outputs, page by page, newest first.

        The server sends an empty page for a workflow that is unknown or not yours.

        Args:
            workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
            options: As for every call, for each page.
            limit: The number of rows of a page.
            offset: The number of rows to skip.
            with_outputs: ``False`` leaves out the outputs, which makes a page much smaller.
            with_inputs: ``False`` leaves out the inputs.

        Raises:
            ComfyDeployError: What ``runs_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.runs_list import runs_list

        return RaisingPages(
            runs_list(
                self._core,
                workflow_id,
                options,
                limit=limit,
                offset=offset,
                with_outputs=with_outputs,
                with_inputs=with_inputs,
            )
        )

    def list_async(
        self,
        workflow_id: str,
        options: RequestOptions | None = None,
        *,
        limit: int = 50,
        offset: int = 0,
        with_outputs: bool | None = None,
        with_inputs: bool | None = None,
    ) -> AsyncRaisingPages["WorkflowRunRow"]:
        """Yield the runs of a workflow with their inputs and outputs, page by page, newest first.

        The server sends an empty page for a workflow that is unknown or not yours.

        Args:
            workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
            options: As for every call, for each page.
            limit: The number of rows of a page.
            offset: The number of rows to skip.
            with_outputs: ``False`` leaves out the outputs, which makes a page much smaller.
            with_inputs: ``False`` leaves out the inputs.

        Raises:
            ComfyDeployError: What ``runs_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.runs_list import runs_list_async

        return AsyncRaisingPages(
            runs_list_async(
                self._core,
                workflow_id,
                options,
                limit=limit,
                offset=offset,
                with_outputs=with_outputs,
                with_inputs=with_inputs,
            )
        )
