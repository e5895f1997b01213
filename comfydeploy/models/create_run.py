"""The response to a queued run."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class CreateRunResponse(Document):
    """The id of the run that was created, for ``run_get``."""

    run_id: str
