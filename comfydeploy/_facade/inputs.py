"""``client.inputs``: the operations on inputs before a run, raising."""

from collections.abc import Mapping
from typing import Any

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


class Inputs(Group):
    """Upload the files among inputs; every method raises the error of a ``Failure``."""

    def upload(self, inputs: Mapping[str, Any], options: RequestOptions | None = None) -> dict[str, Any]:
        """Upload the files among inputs and return the inputs with their addresses.

        Args:
            inputs: The inputs of a request.
            options: As for ``file_upload``, for each file; ``deadline`` is for all of them together.

        Raises:
            ComfyDeployError: What ``inputs_upload`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.inputs_upload import inputs_upload

        return unwrap(inputs_upload(self._core, inputs, options))

    async def upload_async(self, inputs: Mapping[str, Any], options: RequestOptions | None = None) -> dict[str, Any]:
        """Upload the files among inputs and return the inputs with their addresses.

        Args:
            inputs: The inputs of a request.
            options: As for ``file_upload``, for each file; ``deadline`` is for all of them together.

        Raises:
            ComfyDeployError: What ``inputs_upload`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.inputs_upload import inputs_upload_async

        return unwrap(await inputs_upload_async(self._core, inputs, options))
