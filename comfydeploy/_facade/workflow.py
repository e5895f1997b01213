"""``client.workflow``: what belongs to a workflow, raising."""

from datetime import datetime
from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy._facade.pages import AsyncRaisingPages, RaisingPages
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.models.run import RunStatus
    from comfydeploy.models.run_row import WorkflowRunRow
    from comfydeploy.models.workflow import WorkflowModel, WorkflowVersionModel


class Workflow(Group):
    """Read what belongs to a workflow; every method raises the error of a ``Failure``."""

    def get(self, workflow_id: str, options: RequestOptions | None = None, *, limit: int = 1) -> "WorkflowModel":
        """Return a workflow with its latest versions.

        Args:
            workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
            options: What is different for this call: timeout, retries, headers, deadline.
            limit: The number of versions, the latest first.

        Raises:
            ComfyDeployError: What ``workflow_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.workflow_get import workflow_get

        return unwrap(workflow_get(self._core, workflow_id, options, limit=limit))

    async def get_async(
        self, workflow_id: str, options: RequestOptions | None = None, *, limit: int = 1
    ) -> "WorkflowModel":
        """Return a workflow with its latest versions.

        Args:
            workflow_id: The id of the workflow, which ``deployment_get`` and ``run_get`` return.
            options: What is different for this call: timeout, retries, headers, deadline.
            limit: The number of versions, the latest first.

        Raises:
            ComfyDeployError: What ``workflow_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.workflow_get import workflow_get_async

        return unwrap(await workflow_get_async(self._core, workflow_id, options, limit=limit))

    def version_get(self, workflow_version_id: str, options: RequestOptions | None = None) -> "WorkflowVersionModel":
        """Return a version of a workflow with its graph.

        Args:
            workflow_version_id: The id of the version, which ``deployment_get`` and ``run_get`` return.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``workflow_version_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.workflow_version_get import workflow_version_get

        return unwrap(workflow_version_get(self._core, workflow_version_id, options))

    async def version_get_async(
        self, workflow_version_id: str, options: RequestOptions | None = None
    ) -> "WorkflowVersionModel":
        """Return a version of a workflow with its graph.

        Args:
            workflow_version_id: The id of the version, which ``deployment_get`` and ``run_get`` return.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``workflow_version_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.workflow_version_get import workflow_version_get_async

        return unwrap(await workflow_version_get_async(self._core, workflow_version_id, options))

    def runs(
        self,
        workflow_id: str,
        options: RequestOptions | None = None,
        *,
        since: datetime | None = None,
        status: "RunStatus | str | None" = None,
        deployment_id: str | None = None,
        limit: int = 50,
    ) -> RaisingPages["WorkflowRunRow"]:
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
        from comfydeploy.funcs.workflow_runs import workflow_runs

        return RaisingPages(
            workflow_runs(
                self._core, workflow_id, options, since=since, status=status, deployment_id=deployment_id, limit=limit
            )
        )

    def runs_async(
        self,
        workflow_id: str,
        options: RequestOptions | None = None,
        *,
        since: datetime | None = None,
        status: "RunStatus | str | None" = None,
        deployment_id: str | None = None,
        limit: int = 50,
    ) -> AsyncRaisingPages["WorkflowRunRow"]:
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
        from comfydeploy.funcs.workflow_runs import workflow_runs_async

        return AsyncRaisingPages(
            workflow_runs_async(
                self._core, workflow_id, options, since=since, status=status, deployment_id=deployment_id, limit=limit
            )
        )
