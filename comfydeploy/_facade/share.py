"""``client.share``: what is shared under an address, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.models.deployment import DeploymentModel


class Share(Group):
    """Read what is shared under an address; every method raises the error of a ``Failure``."""

    def get(self, username: str, slug: str, options: RequestOptions | None = None) -> "DeploymentModel":
        """Return a deployment that is shared under an address, with its inputs and outputs.

        ``share_slug`` of a deployment is the name of its user and the slug, with a ``_`` between them.

        Args:
            username: The name of the user or the organization.
            slug: The name of the shared workflow.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``share_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.share_get import share_get

        return unwrap(share_get(self._core, username, slug, options))

    async def get_async(self, username: str, slug: str, options: RequestOptions | None = None) -> "DeploymentModel":
        """Return a deployment that is shared under an address, with its inputs and outputs.

        ``share_slug`` of a deployment is the name of its user and the slug, with a ``_`` between them.

        Args:
            username: The name of the user or the organization.
            slug: The name of the shared workflow.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``share_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.share_get import share_get_async

        return unwrap(await share_get_async(self._core, username, slug, options))
