"""One state of a run out of many deliveries, which repeat and overtake each other."""

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
    """A run as far as its webhooks told: nothing of it ever goes back.

    ``status`` is the furthest one told, ``progress`` the greatest (0 to 1) and ``live_status`` the text that came with
    it. ``outputs`` has each output once, the oldest first.
    """

    run_id: str
    status: RunStatus | str
    progress: float = 0.0
    live_status: str | None = None
    outputs: tuple[WorkflowRunOutputModel, ...] = ()

    @property
    def is_ended(self) -> bool:
        """Whether the run has come to an end: success, failed, timeout or cancelled."""
        return self.status in ENDED


def webhook_progress(state: WebhookProgress | None, body: WorkflowRunWebhookBody) -> WebhookProgress:
    """Take a delivery into what is known of its run: the same deliveries give the same state, in whatever order.

    Statuses go from not-started over queued, started, running and uploading to an end; a word that this version does
    not know counts less than any of them. Of two different ends success stands, then failed, then timeout: a run that
    was given up may still come to its end. A ``progress`` outside 0 to 1 is ignored; of two texts with the same
    progress the later in the alphabet stands. Outputs are taken in by id, after the end too: the one with more files
    stands, then the one with a name, then the newer. A delivery of another run changes nothing: keep a state for each
    ``run_id``.
    """
    if state is None:
        state = WebhookProgress(run_id=body.run_id, status=body.status)
    elif body.run_id != state.run_id:
        return state
    told = body.progress if body.progress is not None and 0 <= body.progress <= 1 else 0.0
    progress, live_status = max((state.progress, state.live_status or ""), (told, body.live_status or ""))
    return WebhookProgress(
        run_id=state.run_id,
        status=_further(state.status, body.status),
        progress=progress,
        live_status=live_status or None,
        outputs=_united(state.outputs, body.outputs),
    )


def _further(known: str, told: str) -> str:
    return max(known, told, key=lambda status: (_RANK.get(status, _UNKNOWN), status))


def _united(
    known: tuple[WorkflowRunOutputModel, ...], told: list[WorkflowRunOutputModel]
) -> tuple[WorkflowRunOutputModel, ...]:
    outputs = {output.id: output for output in known}
    for output in told:
        outputs[output.id] = max(outputs.get(output.id, output), output, key=_completeness)
    return tuple(sorted(outputs.values(), key=_age))


def _completeness(output: WorkflowRunOutputModel) -> tuple[Any, ...]:
    # The last decides where nothing else does, so that the order of arrival never counts.
    known = astuple(output, filter=lambda field, _: bool(field.eq))
    return len(output.files), output.output_id is not None, _instant(output.updated_at), repr(known)


def _age(output: WorkflowRunOutputModel) -> tuple[Any, ...]:
    return _instant(output.created_at), output.id


def _instant(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
