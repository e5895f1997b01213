"""``client.deployments``: the operations on deployments, raising."""

import builtins

from attrs import frozen

from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.deployments_list import deployments_list, deployments_list_async
from comfydeploy.models.deployment import DeploymentEnvironment, DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


@frozen
class Deployments:
    """Read deployments; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    def list(
        self,
        environment: DeploymentEnvironment | str | None = None,
        options: RequestOptions | None = None,
        *,
        is_fluid: bool | None = None,
    ) -> builtins.list[DeploymentModel]:
        """Give the deployments of an environment, or all; see ``deployments_list``."""
        return unwrap(deployments_list(self._core, environment, options, is_fluid=is_fluid))

    async def list_async(
        self,
        environment: DeploymentEnvironment | str | None = None,
        options: RequestOptions | None = None,
        *,
        is_fluid: bool | None = None,
    ) -> builtins.list[DeploymentModel]:
        """Give the deployments of an environment, or all; see ``deployments_list``."""
        return unwrap(await deployments_list_async(self._core, environment, options, is_fluid=is_fluid))
