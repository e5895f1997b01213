"""Orders: requests for runs, of the API and of the page."""

from dataclasses import dataclass

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.deployments.forms import RunRequest
from comfydeploy._emulator.deployments.outcomes import CannotStart
from comfydeploy._emulator.machine.machine import ignore_events
from comfydeploy._emulator.quirks.answers import is_storable
from comfydeploy._emulator.runs.events import Listener
from comfydeploy._emulator.runs.run import Run, new_runs
from comfydeploy._emulator.web.responses import BrokenError


@dataclass(frozen=True)
class Order:
    """A request for runs: its form, what it runs, and the server's address as the client wrote it."""

    backend: Backend
    form: RunRequest
    deployment: Deployment
    base: str

    def start(self, listener: Listener | None = None) -> Run:
        """Start the runs and return the first; ``listener`` takes its events."""
        backend = self.backend
        own_call = listener is None
        runs = new_runs(self.form, self.deployment, backend.clock.now(), backend.ids, own_call=own_call)
        for run in runs:
            deployment = backend.catalogue.next(self.deployment, run.workflow_inputs)
            if isinstance(deployment.outcome, CannotStart) and deployment.outcome.at_once:
                backend.machine.reject(run, deployment.outcome.lines)
                raise BrokenError
            backend.machine.start(run, deployment, self.base, (run is runs[0] and listener) or ignore_events)
        return runs[0]


def order_of(form: RunRequest, backend: Backend, base: str) -> Order:
    """Return the order of a request; raise ``BrokenError`` for one that the server cannot store."""
    if not is_storable(form, backend.quirks):
        raise BrokenError
    return Order(backend, form, backend.catalogue.requested(form), base)
