"""``client.run.deployment``: runs of deployments, raising."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from comfydeploy._facade.events import AsyncRaisingStream, RaisingStream
from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.models.create_run import CreateRunResponse
    from comfydeploy.models.run_output import WorkflowRunOutputModel
    from comfydeploy.models.run_request import DeploymentRunRequest
    from comfydeploy.models.run_stream import RunStream

_Request: TypeAlias = "DeploymentRunRequest | Mapping[str, Any]"
_Options: TypeAlias = RequestOptions | None


class RunDeployment(Group):
    """Create runs of deployments; every method raises the error of a ``Failure``."""

    def queue(self, request: _Request, options: _Options = None) -> "CreateRunResponse":
        """Create a run of a deployment and return its id, without waiting for it.

        A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of
        the error before you send the request again.

        Args:
            request: A ``DeploymentRunRequest``, or a mapping with the same keys: ``{"deployment_id": "...", "inputs":
                {...}}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_deployment_queue`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_deployment_queue import run_deployment_queue

        return unwrap(run_deployment_queue(self._core, request, options))

    async def queue_async(self, request: _Request, options: _Options = None) -> "CreateRunResponse":
        """Create a run of a deployment and return its id, without waiting for it.

        A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of
        the error before you send the request again.

        Args:
            request: A ``DeploymentRunRequest``, or a mapping with the same keys: ``{"deployment_id": "...", "inputs":
                {...}}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_deployment_queue`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_deployment_queue import run_deployment_queue_async

        return unwrap(await run_deployment_queue_async(self._core, request, options))

    def sync(self, request: _Request, options: _Options = None) -> list["WorkflowRunOutputModel"]:
        """Create a run of a deployment, wait for its end and return its outputs, newest first.

        An empty list may be a run that failed or timed out: the server answers the same.

        Args:
            request: A ``DeploymentRunRequest``, or a mapping with the same keys: ``{"deployment_id": "...", "inputs":
                {...}}``.
            options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.

        Raises:
            ComfyDeployError: What ``run_deployment_sync`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_deployment_sync import run_deployment_sync

        return unwrap(run_deployment_sync(self._core, request, options))

    async def sync_async(self, request: _Request, options: _Options = None) -> list["WorkflowRunOutputModel"]:
        """Create a run of a deployment, wait for its end and return its outputs, newest first.

        An empty list may be a run that failed or timed out: the server answers the same.

        Args:
            request: A ``DeploymentRunRequest``, or a mapping with the same keys: ``{"deployment_id": "...", "inputs":
                {...}}``.
            options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.

        Raises:
            ComfyDeployError: What ``run_deployment_sync`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_deployment_sync import run_deployment_sync_async

        return unwrap(await run_deployment_sync_async(self._core, request, options))

    def stream(self, request: _Request, options: _Options = None) -> RaisingStream["RunStream"]:
        """Create a run of a deployment and return its events as they happen.

        Args:
            request: A ``DeploymentRunRequest``, or a mapping with the same keys: ``{"deployment_id": "...", "inputs":
                {...}}``.
            options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

        Raises:
            ComfyDeployError: What ``run_deployment_stream`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_deployment_stream import run_deployment_stream

        return RaisingStream(unwrap(run_deployment_stream(self._core, request, options)))

    async def stream_async(self, request: _Request, options: _Options = None) -> AsyncRaisingStream["RunStream"]:
        """Create a run of a deployment and return its events as they happen.

        Args:
            request: A ``DeploymentRunRequest``, or a mapping with the same keys: ``{"deployment_id": "...", "inputs":
                {...}}``.
            options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

        Raises:
            ComfyDeployError: What ``run_deployment_stream`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_deployment_stream import run_deployment_stream_async

        return AsyncRaisingStream(unwrap(await run_deployment_stream_async(self._core, request, options)))
