"""``client.run``: the operations on runs, raising."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

from comfydeploy._facade.events import AsyncEvents, Events
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue, run_queue_async
from comfydeploy.funcs.run_stream import run_stream, run_stream_async
from comfydeploy.funcs.run_sync import run_sync, run_sync_async
from comfydeploy.models.create_run import CreateRunResponse
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import RunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

_Request: TypeAlias = RunRequest | Mapping[str, Any]
_Options: TypeAlias = RequestOptions | None


@frozen
class Run:
    """Create runs and read them; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    def get(self, run_id: str, options: _Options = None, *, queue_position: bool = False) -> WorkflowRunModel:
        """Give the state of a run; see ``run_get``."""
        return unwrap(run_get(self._core, run_id, options, queue_position=queue_position))

    async def get_async(
        self, run_id: str, options: _Options = None, *, queue_position: bool = False
    ) -> WorkflowRunModel:
        """Give the state of a run; see ``run_get``."""
        return unwrap(await run_get_async(self._core, run_id, options, queue_position=queue_position))

    # The name in the documentation of the original SDK.
    get_run_run_run_id_get = get
    get_run_run_run_id_get_async = get_async

    def queue(self, request: _Request, options: _Options = None) -> CreateRunResponse:
        """Create a run and give its id; see ``run_queue``."""
        return unwrap(run_queue(self._core, request, options))

    async def queue_async(self, request: _Request, options: _Options = None) -> CreateRunResponse:
        """Create a run and give its id; see ``run_queue``."""
        return unwrap(await run_queue_async(self._core, request, options))

    def sync(self, request: _Request, options: _Options = None) -> list[WorkflowRunOutputModel]:
        """Create a run, wait for its end and give its outputs; see ``run_sync``."""
        return unwrap(run_sync(self._core, request, options))

    async def sync_async(self, request: _Request, options: _Options = None) -> list[WorkflowRunOutputModel]:
        """Create a run, wait for its end and give its outputs; see ``run_sync``."""
        return unwrap(await run_sync_async(self._core, request, options))

    def stream(self, request: _Request, options: _Options = None) -> Events:
        """Create a run and give its events as they happen; see ``run_stream``."""
        return Events(unwrap(run_stream(self._core, request, options)))

    async def stream_async(self, request: _Request, options: _Options = None) -> AsyncEvents:
        """Create a run and give its events as they happen; see ``run_stream``."""
        return AsyncEvents(unwrap(await run_stream_async(self._core, request, options)))
