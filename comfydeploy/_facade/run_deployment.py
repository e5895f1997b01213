"""``client.run.deployment``: runs of deployments, raising."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

from comfydeploy._facade.events import AsyncRaisingStream, RaisingStream
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_deployment_queue import run_deployment_queue, run_deployment_queue_async
from comfydeploy.funcs.run_deployment_stream import run_deployment_stream, run_deployment_stream_async
from comfydeploy.funcs.run_deployment_sync import run_deployment_sync, run_deployment_sync_async
from comfydeploy.models.create_run import CreateRunResponse
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import DeploymentRunRequest
from comfydeploy.models.run_stream import RunStream
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

_Request: TypeAlias = DeploymentRunRequest | Mapping[str, Any]
_Options: TypeAlias = RequestOptions | None


@frozen
class RunDeployment:
    """Create runs of deployments; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    def queue(self, request: _Request, options: _Options = None) -> CreateRunResponse:
        """Create a run and give its id; see ``run_deployment_queue``."""
        return unwrap(run_deployment_queue(self._core, request, options))

    async def queue_async(self, request: _Request, options: _Options = None) -> CreateRunResponse:
        """Create a run and give its id; see ``run_deployment_queue``."""
        return unwrap(await run_deployment_queue_async(self._core, request, options))

    def sync(self, request: _Request, options: _Options = None) -> list[WorkflowRunOutputModel]:
        """Create a run, wait for its end and give its outputs; see ``run_deployment_sync``."""
        return unwrap(run_deployment_sync(self._core, request, options))

    async def sync_async(self, request: _Request, options: _Options = None) -> list[WorkflowRunOutputModel]:
        """Create a run, wait for its end and give its outputs; see ``run_deployment_sync``."""
        return unwrap(await run_deployment_sync_async(self._core, request, options))

    def stream(self, request: _Request, options: _Options = None) -> RaisingStream[RunStream]:
        """Create a run and give its events as they happen; see ``run_deployment_stream``."""
        return RaisingStream(unwrap(run_deployment_stream(self._core, request, options)))

    async def stream_async(self, request: _Request, options: _Options = None) -> AsyncRaisingStream[RunStream]:
        """Create a run and give its events as they happen; see ``run_deployment_stream``."""
        return AsyncRaisingStream(unwrap(await run_deployment_stream_async(self._core, request, options)))
