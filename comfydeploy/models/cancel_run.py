"""The response to a cancellation."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class CancelRunResponse(Document):
    """The result of a cancellation: the server answers ``success`` also for a run that had ended before."""

    status: str
    message: str | None = None
