"""The result of a search for the runs of a map whose journal is lost."""

from attrs import frozen

from comfydeploy.models.document import Shown


@frozen(repr=False)
class AdoptedRuns(Shown):
    """The runs that the new journal knows: ``runs`` has the id of the run of each key.

    ``listed`` says whether the list has any run at all; without it the result proves nothing. ``twins`` are the keys
    with more than one run of an attempt, each with the ids. ``others`` is the number of other journals of the same name
    that the list has shown; their runs are not in the new journal.
    """

    runs: dict[str, str]
    listed: bool
    twins: list[tuple[str, tuple[str, ...]]]
    others: int
