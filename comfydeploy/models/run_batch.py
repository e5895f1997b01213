"""The response to a batch."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class CreateRunBatchResponse(Document):
    """The common id of the runs of a batch: the ``batch_id`` of ``WorkflowRunRow``."""

    batch_id: str
