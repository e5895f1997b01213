"""The changes of the runs of a workflow, as they are streamed."""

from datetime import datetime

from attrs import field, frozen

from comfydeploy.models.document import Document
from comfydeploy.models.run import RunStatus
from comfydeploy.models.run_row import WorkflowRunRow


@frozen(kw_only=True, repr=False)
class RunProgress(Document):
    """A change of a run. ``status`` may also be a word that is not one of a run, such as ``input``.

    ``progress`` goes from 0 to 1; the service may send -1 where it has none. ``node_class`` is the node that is
    executed, or the line that goes with the change. ``run`` is the whole run where it was requested, with its outputs
    in ``raw["outputs"]``, the reason of a failure among them.
    """

    run_id: str
    status: RunStatus | str | None = None
    progress: float | None = None
    workflow_id: str | None = None
    machine_id: str | None = None
    node_class: str | None = None
    timestamp: datetime | None = None
    run: WorkflowRunRow | None = field(default=None)
