"""``client.run``: the operations on runs, raising."""

from comfydeploy._facade.run_creation import RunCreation
from comfydeploy._facade.run_deployment import RunDeployment
from comfydeploy._facade.run_keys import RunKeys
from comfydeploy._facade.run_mapping import RunMapping
from comfydeploy._facade.run_reading import RunReading
from comfydeploy._facade.run_waiting import RunWaiting
from comfydeploy._facade.run_workflow import RunWorkflow


class Run(RunCreation, RunWaiting, RunMapping, RunKeys, RunReading):
    """Create runs, wait for them and read them; every method raises the error of a ``Failure``."""

    @property
    def deployment(self) -> RunDeployment:
        """Create runs of deployments."""
        return RunDeployment(self._core)

    @property
    def workflow(self) -> RunWorkflow:
        """Create runs of whole graphs."""
        return RunWorkflow(self._core)
