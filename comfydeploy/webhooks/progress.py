"""One state of a run from many deliveries, which are repeated and arrive out of order."""

from datetime import datetime
from typing import Any, Final

from attrs import astuple, frozen

from comfydeploy.models.run import ENDED, RunStatus
from comfydeploy.models.run_output import WorkflowRunOutputModel
from comfydeploy.models.webhook import WorkflowRunWebhookBody

__all__ = ["WebhookProgress", "webhook_progress"]

_ON_THE_WAY: Final = ("not-started", "queued", "started", "running", "uploading")
_RANK: Final = {word: rank for rank, word in enumerate((*_ON_THE_WAY, "cancelled", "timeout", "failed", "success"))}
_UNKNOWN: Final = -1


@frozen(kw_only=True)
class WebhookProgress:
    """The state of a run from its webhooks; it never goes back.

    ``status`` is the furthest one received, ``progress`` the greatest (0 to 1) and ``live_status`` the text with
    that progress. ``outputs`` has each output once, the oldest first.
    """

    run_id: str
    status: RunStatus | str
    progress: float = 0.0
    live_status: str | None = None
    outputs: tuple[WorkflowRunOutputModel, ...] = ()

    @property
    def is_ended(self) -> bool:
        """Whether the run has ended: success, failed, timeout or cancelled."""
        return self.status in ENDED


def webhook_progress(state: WebhookProgress | None, body: WorkflowRunWebhookBody) -> WebhookProgress:
    """Return the state of a run after a further delivery: the same deliveries give the same state in any order.

    Statuses go from not-started over queued, started, running and uploading to an end; a status that this version does
    not know is below all of them. Of two different ends success wins, then failed, then timeout: a run that
    timed out may still end. A ``progress`` outside 0 to 1 is ignored; of two texts with the same
    progress the later in the alphabet wins. Outputs are merged by id, also after the end: the one with more files
    wins, then the one with a name, then the newer. A delivery of another run changes nothing: keep one state for each
    ``run_id``.
    """
    if state is None:
        state = WebhookProgress(run_id=body.run_id, status=body.status)
    elif body.run_id != state.run_id:
        return state
    received = body.progress if body.progress is not None and 0 <= body.progress <= 1 else 0.0
    progress, live_status = max((state.progress, state.live_status or ""), (received, body.live_status or ""))
    return WebhookProgress(
        run_id=state.run_id,
        status=_further(state.status, body.status),
        progress=progress,
        live_status=live_status or None,
        outputs=_merged(state.outputs, body.outputs),
    )


def _further(known: str, update: str) -> str:
    return max(known, update, key=lambda status: (_RANK.get(status, _UNKNOWN), status))


def _merged(
    known: tuple[WorkflowRunOutputModel, ...], update: list[WorkflowRunOutputModel]
) -> tuple[WorkflowRunOutputModel, ...]:
    outputs = {output.id: output for output in known}
    for output in update:
        outputs[output.id] = max(outputs.get(output.id, output), output, key=_completeness)
    return tuple(sorted(outputs.values(), key=_age))


def _completeness(output: WorkflowRunOutputModel) -> tuple[Any, ...]:
    # The last one breaks all ties, so that the order of arrival does not matter.
    known = astuple(output, filter=lambda field, _: bool(field.eq))
    return len(output.files), output.output_id is not None, _instant(output.updated_at), repr(known)


def _age(output: WorkflowRunOutputModel) -> tuple[Any, ...]:
    return _instant(output.created_at), output.id


def _instant(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
