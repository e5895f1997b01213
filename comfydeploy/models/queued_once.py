"""The result of queueing a run once for its key."""

from attrs import frozen

from comfydeploy.models.document import Shown


@frozen(repr=False)
class QueuedOnce(Shown):
    """The run with the key.

    ``found``: the run was found by its key, because it existed before or because the response with its id was lost.
    Otherwise its id is from the response to the request.
    """

    run_id: str
    found: bool
