"""``client.deployment``: the operations on one deployment, raising."""

from comfydeploy._facade.group import Group
from comfydeploy.funcs.deployment_get import deployment_get, deployment_get_async
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


class Deployment(Group):
    """Read one deployment; every method raises the error of a ``Failure``."""

    def get(self, deployment_id: str, options: RequestOptions | None = None) -> DeploymentModel:
        """Return a deployment with its inputs and outputs.

        Args:
            deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployment_get`` returns as a ``Failure``. Its docstring has the details.
        """
        return unwrap(deployment_get(self._core, deployment_id, options))

    async def get_async(self, deployment_id: str, options: RequestOptions | None = None) -> DeploymentModel:
        """Return a deployment with its inputs and outputs.

        Args:
            deployment_id: The id of the deployment, a UUID, as ``deployments_list`` returns it.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployment_get`` returns as a ``Failure``. Its docstring has the details.
        """
        return unwrap(await deployment_get_async(self._core, deployment_id, options))
