"""The answer to a batch."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class CreateRunBatchResponse(Document):
    """The id that the runs of a batch share, in the ``batch_id`` of ``WorkflowRunRow``."""

    batch_id: str
