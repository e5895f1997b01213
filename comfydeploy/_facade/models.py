"""``client.models``: the public models, raising."""

import builtins

from comfydeploy._facade.group import Group
from comfydeploy.funcs.models_list import models_list, models_list_async
from comfydeploy.models.public_model import PublicModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


class PublicModels(Group):
    """List the public models; every method raises the error of a ``Failure``."""

    def list(self, options: RequestOptions | None = None) -> builtins.list[PublicModel]:
        """Return the public models of the service, with their inputs.

        It is a fixed list. No route runs one of them: a request with ``model_id`` is answered with 500.

        Args:
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``models_list`` returns as a ``Failure``. Its docstring has the details.
        """
        return unwrap(models_list(self._core, options))

    async def list_async(self, options: RequestOptions | None = None) -> builtins.list[PublicModel]:
        """Return the public models of the service, with their inputs.

        It is a fixed list. No route runs one of them: a request with ``model_id`` is answered with 500.

        Args:
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``models_list`` returns as a ``Failure``. Its docstring has the details.
        """
        return unwrap(await models_list_async(self._core, options))
