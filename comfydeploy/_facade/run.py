"""``client.run``: the operations on runs, raising."""

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from comfydeploy._drivers.sinks import Target
from comfydeploy._facade.events import AsyncRaisingStream, RaisingStream, is_passing
from comfydeploy._facade.run_deployment import RunDeployment
from comfydeploy._facade.run_workflow import RunWorkflow
from comfydeploy._wire.follower import OnAbandon
from comfydeploy._wire.run_search import Cache
from comfydeploy._wire.wait_settings import OnQueued, OnUpdate
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_batch import run_batch, run_batch_async
from comfydeploy.funcs.run_cancel import run_cancel, run_cancel_async
from comfydeploy.funcs.run_download import run_download, run_download_async
from comfydeploy.funcs.run_find import run_find, run_find_async
from comfydeploy.funcs.run_first_result import run_first_result, run_first_result_async
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_logs import run_logs, run_logs_async
from comfydeploy.funcs.run_logs_stream import run_logs_stream, run_logs_stream_async
from comfydeploy.funcs.run_native import run_native, run_native_async
from comfydeploy.funcs.run_queue import run_queue, run_queue_async
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait, run_queue_and_wait_async
from comfydeploy.funcs.run_queue_once import run_queue_once, run_queue_once_async
from comfydeploy.funcs.run_stream import run_stream, run_stream_async
from comfydeploy.funcs.run_sync import run_sync, run_sync_async
from comfydeploy.funcs.run_wait import run_wait, run_wait_async
from comfydeploy.funcs.run_watch import run_watch, run_watch_async
from comfydeploy.models.cancel_run import CancelRunResponse
from comfydeploy.models.create_run import CreateRunResponse
from comfydeploy.models.found_runs import FoundRuns
from comfydeploy.models.media_file import MediaFile
from comfydeploy.models.native_run import NativeRun
from comfydeploy.models.queued_once import QueuedOnce
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_batch import CreateRunBatchResponse
from comfydeploy.models.run_log import RunLog, RunLogLine
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.models.run_stream import RunStream
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

_Options: TypeAlias = RequestOptions | None


@frozen
class Run:
    """Create runs and read them; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    @property
    def deployment(self) -> RunDeployment:
        """Create runs of deployments."""
        return RunDeployment(self._core)

    @property
    def workflow(self) -> RunWorkflow:
        """Create runs of whole graphs."""
        return RunWorkflow(self._core)

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

    def queue(self, request: AnyRunRequest, options: _Options = None) -> CreateRunResponse:
        """Create a run and give its id; see ``run_queue``."""
        return unwrap(run_queue(self._core, request, options))

    async def queue_async(self, request: AnyRunRequest, options: _Options = None) -> CreateRunResponse:
        """Create a run and give its id; see ``run_queue``."""
        return unwrap(await run_queue_async(self._core, request, options))

    def sync(self, request: AnyRunRequest, options: _Options = None) -> list[WorkflowRunOutputModel]:
        """Create a run, wait for its end and give its outputs; see ``run_sync``."""
        return unwrap(run_sync(self._core, request, options))

    async def sync_async(self, request: AnyRunRequest, options: _Options = None) -> list[WorkflowRunOutputModel]:
        """Create a run, wait for its end and give its outputs; see ``run_sync``."""
        return unwrap(await run_sync_async(self._core, request, options))

    def stream(self, request: AnyRunRequest, options: _Options = None) -> RaisingStream[RunStream]:
        """Create a run and give its events as they happen; see ``run_stream``."""
        return RaisingStream(unwrap(run_stream(self._core, request, options)))

    async def stream_async(self, request: AnyRunRequest, options: _Options = None) -> AsyncRaisingStream[RunStream]:
        """Create a run and give its events as they happen; see ``run_stream``."""
        return AsyncRaisingStream(unwrap(await run_stream_async(self._core, request, options)))

    def queue_and_wait(
        self,
        request: AnyRunRequest,
        options: _Options = None,
        *,
        on_queued: OnQueued | None = None,
        on_update: OnUpdate | None = None,
        on_abandon: OnAbandon = "leave",
    ) -> WorkflowRunModel:
        """Create a run and return it when it has succeeded; see ``run_queue_and_wait``."""
        result = run_queue_and_wait(
            self._core, request, options, on_queued=on_queued, on_update=on_update, on_abandon=on_abandon
        )
        return unwrap(result)

    async def queue_and_wait_async(
        self,
        request: AnyRunRequest,
        options: _Options = None,
        *,
        on_queued: OnQueued | None = None,
        on_update: OnUpdate | None = None,
        on_abandon: OnAbandon = "leave",
    ) -> WorkflowRunModel:
        """Create a run and return it when it has succeeded; see ``run_queue_and_wait``."""
        result = await run_queue_and_wait_async(
            self._core, request, options, on_queued=on_queued, on_update=on_update, on_abandon=on_abandon
        )
        return unwrap(result)

    def queue_once(
        self,
        request: AnyRunRequest,
        key: str,
        options: _Options = None,
        *,
        settle: float = 60,
        since: datetime | None = None,
        cache: Cache | None = None,
    ) -> QueuedOnce:
        """Return the run that carries a key, and create it where there is none; see ``run_queue_once``."""
        result = run_queue_once(self._core, request, key, options, settle=settle, since=since, cache=cache)
        return unwrap(result)

    async def queue_once_async(
        self,
        request: AnyRunRequest,
        key: str,
        options: _Options = None,
        *,
        settle: float = 60,
        since: datetime | None = None,
        cache: Cache | None = None,
    ) -> QueuedOnce:
        """Return the run that carries a key, and create it where there is none; see ``run_queue_once``."""
        result = await run_queue_once_async(self._core, request, key, options, settle=settle, since=since, cache=cache)
        return unwrap(result)

    def find(
        self,
        keys: str | Iterable[str],
        options: _Options = None,
        *,
        workflow_id: str | None = None,
        deployment_id: str | None = None,
        workflow_version_id: str | None = None,
        since: datetime | None = None,
        cache: Cache | None = None,
    ) -> FoundRuns:
        """Return the runs that carry one of the keys; see ``run_find``."""
        result = run_find(
            self._core,
            keys,
            options,
            workflow_id=workflow_id,
            deployment_id=deployment_id,
            workflow_version_id=workflow_version_id,
            since=since,
            cache=cache,
        )
        return unwrap(result)

    async def find_async(
        self,
        keys: str | Iterable[str],
        options: _Options = None,
        *,
        workflow_id: str | None = None,
        deployment_id: str | None = None,
        workflow_version_id: str | None = None,
        since: datetime | None = None,
        cache: Cache | None = None,
    ) -> FoundRuns:
        """Return the runs that carry one of the keys; see ``run_find``."""
        result = await run_find_async(
            self._core,
            keys,
            options,
            workflow_id=workflow_id,
            deployment_id=deployment_id,
            workflow_version_id=workflow_version_id,
            since=since,
            cache=cache,
        )
        return unwrap(result)

    def wait(
        self,
        run_id: str,
        options: _Options = None,
        *,
        on_update: OnUpdate | None = None,
        on_abandon: OnAbandon = "leave",
    ) -> WorkflowRunModel:
        """Return a run when it has succeeded; see ``run_wait``."""
        return unwrap(run_wait(self._core, run_id, options, on_update=on_update, on_abandon=on_abandon))

    async def wait_async(
        self,
        run_id: str,
        options: _Options = None,
        *,
        on_update: OnUpdate | None = None,
        on_abandon: OnAbandon = "leave",
    ) -> WorkflowRunModel:
        """Return a run when it has succeeded; see ``run_wait``."""
        return unwrap(await run_wait_async(self._core, run_id, options, on_update=on_update, on_abandon=on_abandon))

    def watch(self, run_id: str, options: _Options = None) -> Iterator[WorkflowRunModel]:
        """Yield the states of a run as they change, and raise unless it succeeds; see ``run_watch``."""
        with run_watch(self._core, run_id, options) as watch:
            for item in watch:
                if not is_passing(item):
                    yield unwrap(item)

    async def watch_async(self, run_id: str, options: _Options = None) -> AsyncIterator[WorkflowRunModel]:
        """Yield the states of a run as they change, and raise unless it succeeds; see ``run_watch``."""
        async with run_watch_async(self._core, run_id, options) as watch:
            async for item in watch:
                if not is_passing(item):
                    yield unwrap(item)

    def cancel(self, run_id: str, options: _Options = None) -> CancelRunResponse:
        """Cancel a run; see ``run_cancel``."""
        return unwrap(run_cancel(self._core, run_id, options))

    async def cancel_async(self, run_id: str, options: _Options = None) -> CancelRunResponse:
        """Cancel a run; see ``run_cancel``."""
        return unwrap(await run_cancel_async(self._core, run_id, options))

    def batch(self, request: AnyRunRequest, options: _Options = None) -> CreateRunBatchResponse:
        """Create the runs of a batch and give its id; see ``run_batch``."""
        return unwrap(run_batch(self._core, request, options))

    async def batch_async(self, request: AnyRunRequest, options: _Options = None) -> CreateRunBatchResponse:
        """Create the runs of a batch and give its id; see ``run_batch``."""
        return unwrap(await run_batch_async(self._core, request, options))

    def first_result(self, request: AnyRunRequest, options: _Options = None, *, to: Target | None = None) -> MediaFile:
        """Create a run and give its first file; see ``run_first_result``."""
        return unwrap(run_first_result(self._core, request, options, to=to))

    async def first_result_async(
        self, request: AnyRunRequest, options: _Options = None, *, to: Target | None = None
    ) -> MediaFile:
        """Create a run and give its first file; see ``run_first_result``."""
        return unwrap(await run_first_result_async(self._core, request, options, to=to))

    def native(self, request: AnyRunRequest, options: _Options = None) -> NativeRun:
        """Create a run that you run yourself; see ``run_native``."""
        return unwrap(run_native(self._core, request, options))

    async def native_async(self, request: AnyRunRequest, options: _Options = None) -> NativeRun:
        """Create a run that you run yourself; see ``run_native``."""
        return unwrap(await run_native_async(self._core, request, options))

    def logs(self, run_id: str, options: _Options = None) -> list[RunLog]:
        """Give the archived log of a run; see ``run_logs``."""
        return unwrap(run_logs(self._core, run_id, options))

    async def logs_async(self, run_id: str, options: _Options = None) -> list[RunLog]:
        """Give the archived log of a run; see ``run_logs``."""
        return unwrap(await run_logs_async(self._core, run_id, options))

    def logs_stream(self, run_id: str, options: _Options = None) -> RaisingStream[RunLogLine]:
        """Give the log of a run as it is written; see ``run_logs_stream``."""
        return RaisingStream(unwrap(run_logs_stream(self._core, run_id, options)))

    async def logs_stream_async(self, run_id: str, options: _Options = None) -> AsyncRaisingStream[RunLogLine]:
        """Give the log of a run as it is written; see ``run_logs_stream``."""
        return AsyncRaisingStream(unwrap(await run_logs_stream_async(self._core, run_id, options)))

    def download(
        self,
        run_or_id: WorkflowRunModel | str,
        options: RequestOptions | None = None,
        *,
        to: str | os.PathLike[str],
        name: str = "{run_id}-{index}{suffix}",
        at_once: int = 4,
    ) -> list[Path]:
        """Save all files of a run in a folder; see ``run_download``."""
        return unwrap(run_download(self._core, run_or_id, options, to=to, name=name, at_once=at_once))

    async def download_async(
        self,
        run_or_id: WorkflowRunModel | str,
        options: RequestOptions | None = None,
        *,
        to: str | os.PathLike[str],
        name: str = "{run_id}-{index}{suffix}",
        at_once: int = 4,
    ) -> list[Path]:
        """Save all files of a run in a folder; see ``run_download``."""
        return unwrap(await run_download_async(self._core, run_or_id, options, to=to, name=name, at_once=at_once))
