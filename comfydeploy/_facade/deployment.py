"""``client.deployment``: the operations on one deployment, raising."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from comfydeploy._facade.group import Group
from comfydeploy._facade.pages import AsyncRaisingPages, RaisingPages
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.models.deployment import DeploymentModel
    from comfydeploy.models.deployment_request import CreateDeploymentRequest, UpdateDeploymentRequest
    from comfydeploy.models.run_row import WorkflowRunRow


class Deployment(Group):
    """Create, change and read one deployment; every method raises the error of a ``Failure``."""

    def get(self, deployment_id: str, options: RequestOptions | None = None) -> "DeploymentModel":
        """Return a deployment with its inputs and outputs.

        Args:
            deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployment_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployment_get import deployment_get

        return unwrap(deployment_get(self._core, deployment_id, options))

    async def get_async(self, deployment_id: str, options: RequestOptions | None = None) -> "DeploymentModel":
        """Return a deployment with its inputs and outputs.

        Args:
            deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployment_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployment_get import deployment_get_async

        return unwrap(await deployment_get_async(self._core, deployment_id, options))

    def create(
        self, request: "CreateDeploymentRequest | Mapping[str, Any]", options: RequestOptions | None = None
    ) -> "DeploymentModel":
        """Deploy a version of a workflow in an environment, and return the deployment.

        A workflow has one deployment in each environment: where there is one, it is moved to this version and machine,
        and keeps its id.

        The service ignores the description of the request and uses that of the workflow. The answer has no inputs and
        outputs: ``deployment_get`` has them.

        Args:
            request: A ``CreateDeploymentRequest``, or a mapping with the same keys: ``{"workflow_id": "...",
                "workflow_version_id": "...", "machine_id": "...", "environment": "staging"}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployment_create`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployment_create import deployment_create

        return unwrap(deployment_create(self._core, request, options))

    async def create_async(
        self, request: "CreateDeploymentRequest | Mapping[str, Any]", options: RequestOptions | None = None
    ) -> "DeploymentModel":
        """Deploy a version of a workflow in an environment, and return the deployment.

        A workflow has one deployment in each environment: where there is one, it is moved to this version and machine,
        and keeps its id.

        The service ignores the description of the request and uses that of the workflow. The answer has no inputs and
        outputs: ``deployment_get`` has them.

        Args:
            request: A ``CreateDeploymentRequest``, or a mapping with the same keys: ``{"workflow_id": "...",
                "workflow_version_id": "...", "machine_id": "...", "environment": "staging"}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployment_create`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployment_create import deployment_create_async

        return unwrap(await deployment_create_async(self._core, request, options))

    def update(
        self,
        deployment_id: str,
        request: "UpdateDeploymentRequest | Mapping[str, Any]",
        options: RequestOptions | None = None,
    ) -> "DeploymentModel":
        """Change the version, the machine or the settings of a deployment, and return the deployment.

        What is not given stays as it is. Where the machine has a version of its own, the service takes ``gpu``,
        ``run_timeout`` and ``idle_timeout`` from it unless they are given.

        Args:
            deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
            request: An ``UpdateDeploymentRequest``, or a mapping with the same keys: ``{"gpu": "A10G", "keep_warm":
                1}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployment_update`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployment_update import deployment_update

        return unwrap(deployment_update(self._core, deployment_id, request, options))

    async def update_async(
        self,
        deployment_id: str,
        request: "UpdateDeploymentRequest | Mapping[str, Any]",
        options: RequestOptions | None = None,
    ) -> "DeploymentModel":
        """Change the version, the machine or the settings of a deployment, and return the deployment.

        What is not given stays as it is. Where the machine has a version of its own, the service takes ``gpu``,
        ``run_timeout`` and ``idle_timeout`` from it unless they are given.

        Args:
            deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
            request: An ``UpdateDeploymentRequest``, or a mapping with the same keys: ``{"gpu": "A10G", "keep_warm":
                1}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployment_update`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployment_update import deployment_update_async

        return unwrap(await deployment_update_async(self._core, deployment_id, request, options))

    def runs(
        self, deployment_id: str, options: RequestOptions | None = None, *, limit: int = 50, offset: int = 0
    ) -> RaisingPages["WorkflowRunRow"]:
        """Yield the runs of a deployment in small rows, page by page, newest first.

        A row has status and some times, but no inputs, outputs or progress.

        Args:
            deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
            options: As for every call, for each page.
            limit: The number of rows of a page.
            offset: The number of rows to skip.

        Raises:
            ComfyDeployError: What ``deployment_runs`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployment_runs import deployment_runs

        return RaisingPages(deployment_runs(self._core, deployment_id, options, limit=limit, offset=offset))

    def runs_async(
        self, deployment_id: str, options: RequestOptions | None = None, *, limit: int = 50, offset: int = 0
    ) -> AsyncRaisingPages["WorkflowRunRow"]:
        """Yield the runs of a deployment in small rows, page by page, newest first.

        A row has status and some times, but no inputs, outputs or progress.

        Args:
            deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
            options: As for every call, for each page.
            limit: The number of rows of a page.
            offset: The number of rows to skip.

        Raises:
            ComfyDeployError: What ``deployment_runs`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployment_runs import deployment_runs_async

        return AsyncRaisingPages(deployment_runs_async(self._core, deployment_id, options, limit=limit, offset=offset))
