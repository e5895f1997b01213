"""The result of a search for keys."""

from attrs import frozen

from comfydeploy.models.document import Shown
from comfydeploy.models.run_row import WorkflowRunRow


@frozen(repr=False)
class FoundRuns(Shown):
    """The runs with one of the keys, oldest first; the key is in ``workflow_inputs["comfydeploy_key"]``.

    ``listed`` says whether the list has any run at all. The server sends an empty list for a workflow that is
    unknown or not yours, so without it an empty ``runs`` proves nothing. Even with it a run may appear later.
    """

    runs: list[WorkflowRunRow]
    listed: bool
