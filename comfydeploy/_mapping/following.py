"""Many runs that are followed: a placeholder that reads one after the other."""

from typing import Any, NamedTuple, TypeAlias

from comfydeploy._wire.run_search import Place
from comfydeploy._wire.steps import Sleep
from comfydeploy._wire.timeline import READ_LIMIT
from comfydeploy.result import Success


class ReadRun(NamedTuple):
    """Read one run: the answer is a ``Result[WorkflowRunModel, Error]``."""

    run_id: str
    seconds: float

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the operation."""
        return {"run_id": self.run_id, "queue_position": None}


Action: TypeAlias = ReadRun | Sleep


class Following:
    """Follows runs until they seem to have ended."""

    def __init__(self, now: float) -> None:
        self._runs: dict[str, float] = {}
        self._sent = ""

    def add(self, run_id: str, place: Place, now: float) -> None:
        """Follow a run of a place."""
        self._runs.setdefault(run_id, now + 0.05)

    def drop(self, run_id: str) -> None:
        """Follow a run no more."""
        self._runs.pop(run_id, None)

    def next(self, now: float) -> Action | None:
        """Return what to do next, or ``None`` where no run is followed."""
        if not self._runs:
            return None
        run_id, at = min(self._runs.items(), key=lambda one: one[1])
        if at > now:
            return Sleep(at - now)
        self._sent = run_id
        return ReadRun(run_id, READ_LIMIT)

    def feed(self, result: Any, now: float, dice: float) -> list[str]:
        """Take the result of the request; return the runs that seem to have ended."""
        if self._sent not in self._runs:
            return []
        if isinstance(result, Success) and result.unwrap().is_ended:
            self.drop(self._sent)
            return [self._sent]
        self._runs[self._sent] = now + 0.5 + dice / 10
        return []
