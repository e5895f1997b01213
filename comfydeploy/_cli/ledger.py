"""The billed runs of a command so far, and the text that names them when the command is interrupted."""

from typing import NamedTuple, TypeAlias, assert_never


class Idle(NamedTuple):
    """No run was created or is followed. ``creates_run``: the command is about to create one."""

    creates_run: bool = False


class Sending(NamedTuple):
    """The request that creates a run was sent, or is about to be; its response has not been read."""

    key: str
    deployment_id: str


class Running(NamedTuple):
    """The runs exist and have not ended, as far as the command knows."""

    run_ids: tuple[str, ...]


class Cancelling(NamedTuple):
    """Cancellations were sent and are not confirmed."""

    run_ids: tuple[str, ...]


class Ended(NamedTuple):
    """The run has ended; its files may not be saved."""

    run_id: str
    status: str


class Journaled(NamedTuple):
    """The runs are in a journal."""

    journal: str


State: TypeAlias = Idle | Sending | Running | Cancelling | Ended | Journaled


class Ledger:
    """The state of a command when a signal arrives."""

    def __init__(self) -> None:
        self.state: State = Idle()
        self._planned: Sending | None = None

    @property
    def is_running(self) -> bool:
        """Whether a run goes on that was not cancelled."""
        return isinstance(self.state, Running)

    def plan(self, key: str, deployment_id: str) -> None:
        """Record the key and the deployment of the run that is created next."""
        self.state = Idle(creates_run=True)
        self._planned = Sending(key, deployment_id)

    def sent(self) -> None:
        """Record that the request of the planned run is sent now."""
        if self._planned is not None:
            self.state = self._planned


def last_words(state: State, cause: str = "Interrupted") -> str:  # noqa: C901, PLR0911 - a sentence for each state
    """Return the last words of a command that ends early: what exists, what it costs, and what to do."""
    match state:
        case Idle(creates_run=True):
            return f"{cause}. No run was created."
        case Idle():
            return f"{cause}."
        case Sending(key, deployment_id):
            return (
                f"{cause} while the run was being created: a run may exist, and be billed. "
                f"To find it: {find_command(key, deployment_id)}"
            )
        case Running((run_id,)):
            return (
                f"{cause}. Run {run_id} goes on and is billed. "
                f"To wait on: comfydeploy wait {run_id}. To end it: comfydeploy cancel {run_id}"
            )
        case Running(run_ids):
            return f"{cause}. {len(run_ids)} runs may go on and be billed: {' '.join(run_ids)}"
        case Cancelling((run_id,)):
            return (
                f"{cause}. Run {run_id} was to be cancelled, which is not confirmed: it may go on and be billed. "
                f"To see: comfydeploy wait {run_id}"
            )
        case Cancelling(run_ids):
            return (
                f"{cause}. {len(run_ids)} runs were to be cancelled, which is not confirmed: they may go on and be "
                f"billed: {' '.join(run_ids)}"
            )
        case Ended(run_id, "cancelled"):
            return f"{cause}. Run {run_id} was cancelled"
        case Ended(run_id, status):
            return f"{cause}. Run {run_id} has ended: {status}. To save its files: comfydeploy download {run_id}"
        case Journaled(journal):
            return (
                f"{cause}. The runs so far are in the journal {journal}; those that have not ended go on and are "
                "billed. To resume: the same command again"
            )
        case _ as never:
            assert_never(never)


def facts(state: State) -> dict[str, object]:
    """Return the same as JSON."""
    match state:
        case Idle():
            return {"key": None, "deployment_id": None, "run_ids": [], "journal": None}
        case Sending(key, deployment_id):
            return {"key": key, "deployment_id": deployment_id, "run_ids": [], "journal": None}
        case Running(run_ids) | Cancelling(run_ids):
            return {"key": None, "deployment_id": None, "run_ids": [*run_ids], "journal": None}
        case Ended(run_id, _):
            return {"key": None, "deployment_id": None, "run_ids": [run_id], "journal": None}
        case Journaled(journal):
            return {"key": None, "deployment_id": None, "run_ids": [], "journal": journal}
        case _ as never:
            assert_never(never)


def find_command(key: str, deployment_id: str | None) -> str:
    """Return the command that finds the run of a key."""
    from shlex import quote

    place = f" --deployment {quote(deployment_id)}" if deployment_id else ""
    return f"comfydeploy find{' --' if key.startswith('-') else ''} {quote(key)}{place}"
