"""The actions of the protocol of one job, with their answers, and the terms of a map."""

from typing import Literal, NamedTuple, TypeAlias

from attrs import frozen

from comfydeploy._mapping.rows import Step
from comfydeploy.mapping import MapError
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.result import Result

Resend: TypeAlias = Literal["after_grace", "never"]
Ended: TypeAlias = Result[WorkflowRunModel, MapError]


@frozen
class Terms:
    """The common settings of all jobs. ``longest_post`` is that of all processes that have used the journal."""

    resend: Resend = "after_grace"
    attempts: int = 1
    post_limit: float = 300.0
    longest_post: float = 300.0
    grace: float = 60.0
    saves: bool = False
    max_runs: int | None = None


class Prepare(NamedTuple):
    """Upload the files of the request: the answer is a ``Result[None, Error]``."""


class Turn(NamedTuple):
    """Wait for the turn to send a request: the answer is ``False`` where no run is created any more."""


class Post(NamedTuple):
    """Send the request once, and end it at a time: the answer is a ``Result[str, Error]`` with the id of the run."""

    until: float


class Look(NamedTuple):
    """Search for the run by its marker, in a listing that begins now: the answer is a ``Result[Sighting, Error]``."""

    began: float


class Sighting(NamedTuple):
    """The runs with the marker, oldest first; ``shown``: the listing has shown a run of this journal."""

    run_ids: tuple[str, ...]
    shown: bool


class Pause(NamedTuple):
    """Wait for some seconds, and then carry out the action."""

    seconds: float
    then: "Action"


class Follow(NamedTuple):
    """Wait until the run has ended: the answer is a ``Result[WorkflowRunModel, WaitError]``."""

    run_id: str


class Fetch(NamedTuple):
    """Save the files of the run: the answer is a ``Result[list[Path], DownloadIncomplete | Error]``."""

    run: WorkflowRunModel


class Leave(NamedTuple):
    """Stop: this is the result. It is ``None`` for a job of another owner (``lost``) and for one that is not begun."""

    result: Ended | None
    is_lost: bool = False


Action: TypeAlias = Prepare | Turn | Post | Look | Pause | Follow | Fetch | Leave | Step
