"""``client.workflow``: what belongs to a workflow, raising."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from comfydeploy._facade.group import Group
from comfydeploy.funcs.workflow_runs import workflow_runs, workflow_runs_async
from comfydeploy.models.run import RunStatus
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


class Workflow(Group):
    """Read what belongs to a workflow; every method raises the error of a ``Failure``."""

    def runs(
        self,
        workflow_id: str,
        options: RequestOptions | None = None,
        *,
        since: datetime | None = None,
        status: RunStatus | str | None = None,
        deployment_id: str | None = None,
        limit: int = 50,
    ) -> Iterator[list[WorkflowRunRow]]:
        """Yield the runs of a workflow in small rows, page by page, newest first.

        A row has status and times, but no inputs, outputs or progress.

        Args:
            workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
            options: As for every call, for each page.
            since: Only runs created at or after this aware time, in whole seconds.
            status: Only runs with this status.
            deployment_id: Only runs of this deployment.
            limit: The number of rows of a page.

        Raises:
            ComfyDeployError: What ``workflow_runs`` returns as a ``Failure``. Its docstring has the details.
        """
        pages = workflow_runs(
            self._core, workflow_id, options, since=since, status=status, deployment_id=deployment_id, limit=limit
        )
        return map(unwrap, pages)

    async def runs_async(
        self,
        workflow_id: str,
        options: RequestOptions | None = None,
        *,
        since: datetime | None = None,
        status: RunStatus | str | None = None,
        deployment_id: str | None = None,
        limit: int = 50,
    ) -> AsyncIterator[list[WorkflowRunRow]]:
        """Yield the runs of a workflow in small rows, page by page, newest first.

        A row has status and times, but no inputs, outputs or progress.

        Args:
            workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
            options: As for every call, for each page.
            since: Only runs created at or after this aware time, in whole seconds.
            status: Only runs with this status.
            deployment_id: Only runs of this deployment.
            limit: The number of rows of a page.

        Raises:
            ComfyDeployError: What ``workflow_runs`` returns as a ``Failure``. Its docstring has the details.
        """
        pages = workflow_runs_async(
            self._core, workflow_id, options, since=since, status=status, deployment_id=deployment_id, limit=limit
        )
        async for page in pages:
            yield unwrap(page)
