"""``client.deployment``: the operations on one deployment, raising."""

from attrs import frozen

from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.deployment_get import deployment_get, deployment_get_async
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


@frozen
class Deployment:
    """Read one deployment; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    def get(self, deployment_id: str, options: RequestOptions | None = None) -> DeploymentModel:
        """Return a deployment; see ``deployment_get``."""
        return unwrap(deployment_get(self._core, deployment_id, options))

    async def get_async(self, deployment_id: str, options: RequestOptions | None = None) -> DeploymentModel:
        """Return a deployment; see ``deployment_get``."""
        return unwrap(await deployment_get_async(self._core, deployment_id, options))
