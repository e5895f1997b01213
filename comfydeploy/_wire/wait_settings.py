"""The settings of one wait for a run, each checked by name."""

from collections.abc import Callable
from typing import TypeAlias, get_args

from attrs import frozen

from comfydeploy._wire.arguments import check_callback, check_choice
from comfydeploy._wire.follower import Follower, OnAbandon
from comfydeploy._wire.polling import FIRST
from comfydeploy._wire.settings import checked_options, deadline_of
from comfydeploy.errors import SDKValidationError
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import WatchItem
from comfydeploy.result import Success

OnQueued: TypeAlias = Callable[[str], object]
OnUpdate: TypeAlias = Callable[[WorkflowRunModel], object]


@frozen
class WaitSettings:
    """The settings that the caller of a wait has chosen."""

    options: RequestOptions | None = None
    on_abandon: OnAbandon = "leave"
    on_queued: OnQueued | None = None
    on_update: OnUpdate | None = None

    def problem(self) -> SDKValidationError | None:
        """Return the error of invalid settings, or ``None``."""
        try:
            check_choice("on_abandon", self.on_abandon, get_args(OnAbandon))
            check_callback("on_queued", self.on_queued)
            check_callback("on_update", self.on_update)
            deadline_of(checked_options(self.options), 0.0)
        except SDKValidationError as error:
            return error.with_traceback(None)
        return None

    def follower(self, run_id: str, now: float, began: float | None = None) -> Follower:
        """Return the follower of a run; with invalid settings its result is their error.

        ``began`` is the time before the request that created the run, ``None`` for an existing run.
        """
        problem = self.problem()
        if problem is not None:
            return Follower(run_id, now=now, failure=problem)
        found = deadline_of(checked_options(self.options), now if began is None else began)
        deadline = None if found is None else found.at
        delay = 0.0 if began is None else FIRST
        return Follower(run_id, now=now, deadline=deadline, on_abandon=self.on_abandon, delay=delay)

    def queued(self, run_id: str) -> None:
        """Report the id of the new run."""
        if self.on_queued is not None:
            self.on_queued(run_id)

    def updated(self, item: WatchItem, follower: Follower) -> None:
        """Report an item that is a change of the run, and not the result of the wait."""
        if self.on_update is not None and isinstance(item, Success) and item is not follower.result:
            self.on_update(item.unwrap())
