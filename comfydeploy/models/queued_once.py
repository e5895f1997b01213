"""The run of a key."""

from attrs import frozen

from comfydeploy.models.document import Shown


@frozen(repr=False)
class QueuedOnce(Shown):
    """The run that carries the key.

    ``found``: the run was found by its key, because it was there before or because the response that named it was lost.
    Otherwise the response to the request named it.
    """

    run_id: str
    found: bool
