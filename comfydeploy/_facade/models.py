"""``client.models``: the public models, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    import builtins

    from comfydeploy.models.found_model import FoundModel
    from comfydeploy.models.public_model import PublicModel


class PublicModels(Group):
    """List the public models, and search others; every method raises the error of a ``Failure``."""

    def list(self, options: RequestOptions | None = None) -> "builtins.list[PublicModel]":
        """Return the public models of the service, with their inputs.

        It is a fixed list. No route runs one of them: a request with ``model_id`` is answered with 500.

        Args:
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``models_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.models_list import models_list

        return unwrap(models_list(self._core, options))

    async def list_async(self, options: RequestOptions | None = None) -> "builtins.list[PublicModel]":
        """Return the public models of the service, with their inputs.

        It is a fixed list. No route runs one of them: a request with ``model_id`` is answered with 500.

        Args:
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``models_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.models_list import models_list_async

        return unwrap(await models_list_async(self._core, options))

    def search(
        self, query: str, options: RequestOptions | None = None, *, provider: str | None = None
    ) -> "builtins.list[FoundModel]":
        """Return files of models that other sites have, with their addresses.

        The service passes the search on, and answers 500 where one of the sites does not answer.

        Args:
            query: What to search for.
            options: What is different for this call: timeout, retries, headers, deadline.
            provider: ``comfyui``, ``civitai`` or ``huggingface``; ``None`` for all.

        Raises:
            ComfyDeployError: What ``models_search`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.models_search import models_search

        return unwrap(models_search(self._core, query, options, provider=provider))

    async def search_async(
        self, query: str, options: RequestOptions | None = None, *, provider: str | None = None
    ) -> "builtins.list[FoundModel]":
        """Return files of models that other sites have, with their addresses.

        The service passes the search on, and answers 500 where one of the sites does not answer.

        Args:
            query: What to search for.
            options: What is different for this call: timeout, retries, headers, deadline.
            provider: ``comfyui``, ``civitai`` or ``huggingface``; ``None`` for all.

        Raises:
            ComfyDeployError: What ``models_search`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.models_search import models_search_async

        return unwrap(await models_search_async(self._core, query, options, provider=provider))
