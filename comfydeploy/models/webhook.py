"""The documented callback: the requests of the server to the webhook of a run, and the response that it expects."""

from attrs import field, frozen

from comfydeploy.models.document import Document
from comfydeploy.models.run import RunStatus
from comfydeploy.models.run_output import WorkflowRunOutputModel


@frozen(kw_only=True, repr=False)
class WorkflowRunWebhookBody(Document):
    """A change of a run, sent to its webhook.

    Deliveries are repeated and arrive out of order: a ``queued`` can arrive after ``success``. They are not signed.
    ``progress`` goes from 0 to 1.
    """

    run_id: str
    status: RunStatus | str
    event_type: str | None = None
    live_status: str | None = None
    progress: float | None = None
    outputs: list[WorkflowRunOutputModel] = field(factory=list[WorkflowRunOutputModel])


@frozen(kw_only=True, repr=False)
class WorkflowRunWebhookResponse(Document):
    """The documented response to a webhook; any 2xx is accepted."""

    status: str
