"""``client.deployments``: the operations on deployments, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    import builtins

    from comfydeploy.models.deployment import DeploymentEnvironment, DeploymentModel
    from comfydeploy.models.featured_deployment import FeaturedDeployment


class Deployments(Group):
    """Read deployments; every method raises the error of a ``Failure``."""

    def list(
        self,
        environment: "DeploymentEnvironment | str | None" = None,
        options: RequestOptions | None = None,
        *,
        is_fluid: bool | None = None,
    ) -> "builtins.list[DeploymentModel]":
        """Return the deployments of an environment, or all of them, with their inputs.

        Without ``is_fluid`` the server leaves some out.

        Args:
            environment: ``production``, ``staging``, ``preview``, ``public-share``, ...; ``None`` for all.
            options: What is different for this call: timeout, retries, headers, deadline.
            is_fluid: ``True`` for the deployments of the current kind, which the server hides in part without it.

        Raises:
            ComfyDeployError: What ``deployments_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployments_list import deployments_list

        return unwrap(deployments_list(self._core, environment, options, is_fluid=is_fluid))

    async def list_async(
        self,
        environment: "DeploymentEnvironment | str | None" = None,
        options: RequestOptions | None = None,
        *,
        is_fluid: bool | None = None,
    ) -> "builtins.list[DeploymentModel]":
        """Return the deployments of an environment, or all of them, with their inputs.

        Without ``is_fluid`` the server leaves some out.

        Args:
            environment: ``production``, ``staging``, ``preview``, ``public-share``, ...; ``None`` for all.
            options: What is different for this call: timeout, retries, headers, deadline.
            is_fluid: ``True`` for the deployments of the current kind, which the server hides in part without it.

        Raises:
            ComfyDeployError: What ``deployments_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployments_list import deployments_list_async

        return unwrap(await deployments_list_async(self._core, environment, options, is_fluid=is_fluid))

    def featured(self, options: RequestOptions | None = None) -> "builtins.list[FeaturedDeployment]":
        """Return the deployments that the service features, with their whole workflows.

        They have no ids: ``share_get`` finds one by its ``share_slug``.

        Args:
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployments_featured`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployments_featured import deployments_featured

        return unwrap(deployments_featured(self._core, options))

    async def featured_async(self, options: RequestOptions | None = None) -> "builtins.list[FeaturedDeployment]":
        """Return the deployments that the service features, with their whole workflows.

        They have no ids: ``share_get`` finds one by its ``share_slug``.

        Args:
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``deployments_featured`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.deployments_featured import deployments_featured_async

        return unwrap(await deployments_featured_async(self._core, options))
