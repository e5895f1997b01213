"""``client.run``: waiting for runs, raising."""

from typing import TYPE_CHECKING, TypeAlias

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy._facade.watches import AsyncRaisingWatch, RaisingWatch
    from comfydeploy._wire.follower import OnAbandon
    from comfydeploy._wire.wait_settings import OnQueued, OnUpdate
    from comfydeploy.models.run import WorkflowRunModel
    from comfydeploy.models.run_request import AnyRunRequest

_Options: TypeAlias = RequestOptions | None


class RunWaiting(Group):
    """Wait for runs; every method raises the error of a ``Failure``."""

    def queue_and_wait(
        self,
        request: "AnyRunRequest",
        options: _Options = None,
        *,
        on_queued: "OnQueued | None" = None,
        on_update: "OnUpdate | None" = None,
        on_abandon: "OnAbandon" = "leave",
    ) -> "WorkflowRunModel":
        """Create a run, wait for its end and return it if it has succeeded.

        Files among the inputs are uploaded first, as in ``inputs_upload``.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: ``deadline`` (seconds) limits the whole; the rest as for every call.
            on_queued: Called with the id of the run before anything else happens.
            on_update: Called with each state of the run that has changed.
            on_abandon: ``"leave"`` or ``"cancel"``: what becomes of the run at the deadline, at Ctrl-C and when the
                task is cancelled.

        Raises:
            ComfyDeployError: What ``run_queue_and_wait`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait

        result = run_queue_and_wait(
            self._core, request, options, on_queued=on_queued, on_update=on_update, on_abandon=on_abandon
        )
        return unwrap(result)

    async def queue_and_wait_async(
        self,
        request: "AnyRunRequest",
        options: _Options = None,
        *,
        on_queued: "OnQueued | None" = None,
        on_update: "OnUpdate | None" = None,
        on_abandon: "OnAbandon" = "leave",
    ) -> "WorkflowRunModel":
        """Create a run, wait for its end and return it if it has succeeded.

        Files among the inputs are uploaded first, as in ``inputs_upload``.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            options: ``deadline`` (seconds) limits the whole; the rest as for every call.
            on_queued: Called with the id of the run before anything else happens.
            on_update: Called with each state of the run that has changed.
            on_abandon: ``"leave"`` or ``"cancel"``: what becomes of the run at the deadline, at Ctrl-C and when the
                task is cancelled.

        Raises:
            ComfyDeployError: What ``run_queue_and_wait`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait_async

        result = await run_queue_and_wait_async(
            self._core, request, options, on_queued=on_queued, on_update=on_update, on_abandon=on_abandon
        )
        return unwrap(result)

    def wait(
        self,
        run_id: str,
        options: _Options = None,
        *,
        on_update: "OnUpdate | None" = None,
        on_abandon: "OnAbandon" = "leave",
    ) -> "WorkflowRunModel":
        """Wait for the end of a run and return it if it has succeeded.

        Without a deadline the wait ends when the server marks the run as timed out, after 24 h of silence.

        Args:
            run_id: The id of the run, a UUID.
            options: ``deadline`` (seconds) limits the wait; the rest is for each request.
            on_update: Called with each state of the run that has changed.
            on_abandon: ``"leave"`` or ``"cancel"``: what becomes of the run at the deadline, at Ctrl-C and when the
                task is cancelled.

        Raises:
            ComfyDeployError: What ``run_wait`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_wait import run_wait

        return unwrap(run_wait(self._core, run_id, options, on_update=on_update, on_abandon=on_abandon))

    async def wait_async(
        self,
        run_id: str,
        options: _Options = None,
        *,
        on_update: "OnUpdate | None" = None,
        on_abandon: "OnAbandon" = "leave",
    ) -> "WorkflowRunModel":
        """Wait for the end of a run and return it if it has succeeded.

        Without a deadline the wait ends when the server marks the run as timed out, after 24 h of silence.

        Args:
            run_id: The id of the run, a UUID.
            options: ``deadline`` (seconds) limits the wait; the rest is for each request.
            on_update: Called with each state of the run that has changed.
            on_abandon: ``"leave"`` or ``"cancel"``: what becomes of the run at the deadline, at Ctrl-C and when the
                task is cancelled.

        Raises:
            ComfyDeployError: What ``run_wait`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_wait import run_wait_async

        return unwrap(await run_wait_async(self._core, run_id, options, on_update=on_update, on_abandon=on_abandon))

    def watch(self, run_id: str, options: _Options = None) -> "RaisingWatch":
        """Return the states of a run as they change, up to its end.

        A state is yielded at each change of status, progress, live status, queue position or outputs.

        Args:
            run_id: The id of the run, a UUID.
            options: ``deadline`` (seconds) limits the watch; the rest is for each request.

        Raises:
            ComfyDeployError: What ``run_watch`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy._facade.watches import RaisingWatch
        from comfydeploy.funcs.run_watch import run_watch

        return RaisingWatch(run_watch(self._core, run_id, options))

    def watch_async(self, run_id: str, options: _Options = None) -> "AsyncRaisingWatch":
        """Return the states of a run as they change, up to its end.

        A state is yielded at each change of status, progress, live status, queue position or outputs.

        Args:
            run_id: The id of the run, a UUID.
            options: ``deadline`` (seconds) limits the watch; the rest is for each request.

        Raises:
            ComfyDeployError: What ``run_watch`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy._facade.watches import AsyncRaisingWatch
        from comfydeploy.funcs.run_watch import run_watch_async

        return AsyncRaisingWatch(run_watch_async(self._core, run_id, options))
