"""The answer to a cancelled run."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class CancelRunResponse(Document):
    """What became of a cancellation: the server says ``success`` also for a run that had ended before."""

    status: str
    message: str | None = None
