"""``client.inputs``: what is done with inputs before a run, raising."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.inputs_upload import inputs_upload, inputs_upload_async
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


@frozen
class Inputs:
    """Upload the files among inputs; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    def upload(self, inputs: Mapping[str, Any], options: RequestOptions | None = None) -> dict[str, Any]:
        """Upload the files among inputs and return the inputs with their addresses; see ``inputs_upload``."""
        return unwrap(inputs_upload(self._core, inputs, options))

    async def upload_async(self, inputs: Mapping[str, Any], options: RequestOptions | None = None) -> dict[str, Any]:
        """Upload the files among inputs and return the inputs with their addresses; see ``inputs_upload``."""
        return unwrap(await inputs_upload_async(self._core, inputs, options))
