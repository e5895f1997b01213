"""``client.run``: the operations that create runs, raising."""

from typing import TYPE_CHECKING, TypeAlias

from comfydeploy._facade.events import AsyncRaisingStream, RaisingStream
from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy._drivers.sinks import Target
    from comfydeploy.models.create_run import CreateRunResponse
    from comfydeploy.models.media_file import MediaFile
    from comfydeploy.models.native_run import NativeRun
    from comfydeploy.models.run_batch import CreateRunBatchResponse
    from comfydeploy.models.run_output import WorkflowRunOutputModel
    from comfydeploy.models.run_request import AnyRunRequest
    from comfydeploy.models.run_stream import RunStream

_Options: TypeAlias = RequestOptions | None


class RunCreation(Group):
    """Create runs; every method raises the error of a ``Failure``."""

    def queue(self, request: "AnyRunRequest", options: _Options = None) -> "CreateRunResponse":
        """Create a run and return its id, without waiting for it.

        A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of
        the error before you send the request again.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_queue`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_queue import run_queue

        return unwrap(run_queue(self._core, request, options))

    async def queue_async(self, request: "AnyRunRequest", options: _Options = None) -> "CreateRunResponse":
        """Create a run and return its id, without waiting for it.

        A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of
        the error before you send the request again.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_queue`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_queue import run_queue_async

        return unwrap(await run_queue_async(self._core, request, options))

    def sync(self, request: "AnyRunRequest", options: _Options = None) -> list["WorkflowRunOutputModel"]:
        """Create a run, wait for its end and return its outputs, newest first.

        An empty list may be a run that failed or timed out: the server answers the same, without a run id. Use
        ``run_queue_and_wait`` where the difference matters.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.

        Raises:
            ComfyDeployError: What ``run_sync`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_sync import run_sync

        return unwrap(run_sync(self._core, request, options))

    async def sync_async(self, request: "AnyRunRequest", options: _Options = None) -> list["WorkflowRunOutputModel"]:
        """Create a run, wait for its end and return its outputs, newest first.

        An empty list may be a run that failed or timed out: the server answers the same, without a run id. Use
        ``run_queue_and_wait`` where the difference matters.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.

        Raises:
            ComfyDeployError: What ``run_sync`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_sync import run_sync_async

        return unwrap(await run_sync_async(self._core, request, options))

    def stream(self, request: "AnyRunRequest", options: _Options = None) -> RaisingStream["RunStream"]:
        """Create a run and return its events as they happen.

        A stream cannot be resumed, and calling again creates and bills another run. The run goes on when the stream is
        closed: read it with ``run_get`` and ``stream.run_id``.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

        Raises:
            ComfyDeployError: What ``run_stream`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_stream import run_stream

        return RaisingStream(unwrap(run_stream(self._core, request, options)))

    async def stream_async(self, request: "AnyRunRequest", options: _Options = None) -> AsyncRaisingStream["RunStream"]:
        """Create a run and return its events as they happen.

        A stream cannot be resumed, and calling again creates and bills another run. The run goes on when the stream is
        closed: read it with ``run_get`` and ``stream.run_id``.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: ``idle_timeout`` (seconds) ends a silent stream; the rest as for every call.

        Raises:
            ComfyDeployError: What ``run_stream`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_stream import run_stream_async

        return AsyncRaisingStream(unwrap(await run_stream_async(self._core, request, options)))

    def batch(self, request: "AnyRunRequest", options: _Options = None) -> "CreateRunBatchResponse":
        """Create the runs of a batch and return the id that they share.

        The server sends neither their number nor their ids, and no route lists them by batch: their rows in
        ``runs_list`` have the ``batch_id``. A batch cannot be cancelled.

        A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of
        the error before you send the request again.

        Args:
            request: A request with ``batch_number`` (so many runs) or ``batch_input_params`` (one run for each
                combination of the values).
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_batch`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_batch import run_batch

        return unwrap(run_batch(self._core, request, options))

    async def batch_async(self, request: "AnyRunRequest", options: _Options = None) -> "CreateRunBatchResponse":
        """Create the runs of a batch and return the id that they share.

        The server sends neither their number nor their ids, and no route lists them by batch: their rows in
        ``runs_list`` have the ``batch_id``. A batch cannot be cancelled.

        A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of
        the error before you send the request again.

        Args:
            request: A request with ``batch_number`` (so many runs) or ``batch_input_params`` (one run for each
                combination of the values).
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_batch`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_batch import run_batch_async

        return unwrap(await run_batch_async(self._core, request, options))

    def first_result(
        self, request: "AnyRunRequest", options: _Options = None, *, to: "Target | None" = None
    ) -> "MediaFile":
        """Create a run, wait for its end and return its first image.

        The server looks at the images of the newest output alone: a run that succeeds with text, video or anything else
        is an ``SDKError`` with status 500 or 400. It exists and is billed.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.
            to: Where the bytes go as they arrive: a path, which gets the file when it is whole, or a binary file.

        Raises:
            ComfyDeployError: What ``run_first_result`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_first_result import run_first_result

        return unwrap(run_first_result(self._core, request, options, to=to))

    async def first_result_async(
        self, request: "AnyRunRequest", options: _Options = None, *, to: "Target | None" = None
    ) -> "MediaFile":
        """Create a run, wait for its end and return its first image.

        The server looks at the images of the newest output alone: a run that succeeds with text, video or anything else
        is an ``SDKError`` with status 500 or 400. It exists and is billed.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: ``timeout`` and ``deadline`` limit the wait, which has no limit by default.
            to: Where the bytes go as they arrive: a path, which gets the file when it is whole, or a binary file.

        Raises:
            ComfyDeployError: What ``run_first_result`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_first_result import run_first_result_async

        return unwrap(await run_first_result_async(self._core, request, options, to=to))

    def native(self, request: "AnyRunRequest", options: _Options = None) -> "NativeRun":
        """Create a run for a machine of your own and return its graph and inputs.

        ``cd_token`` of the answer opens your account for 12 hours. It never prints; ``reveal()`` returns it.

        A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of
        the error before you send the request again.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_native`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_native import run_native

        return unwrap(run_native(self._core, request, options))

    async def native_async(self, request: "AnyRunRequest", options: _Options = None) -> "NativeRun":
        """Create a run for a machine of your own and return its graph and inputs.

        ``cd_token`` of the answer opens your account for 12 hours. It never prints; ``reveal()`` returns it.

        A 5xx, a timeout or a lost connection may leave a run that exists and is billed. Read ``fate`` and ``hint`` of
        the error before you send the request again.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``run_native`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_native import run_native_async

        return unwrap(await run_native_async(self._core, request, options))
