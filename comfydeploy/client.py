"""The raising facade: the same operations as methods, in groups."""

from functools import cached_property
from typing import TYPE_CHECKING

from comfydeploy.core import ComfyDeployCore

if TYPE_CHECKING:
    from comfydeploy._facade.deployment import Deployment
    from comfydeploy._facade.deployments import Deployments
    from comfydeploy._facade.file import File
    from comfydeploy._facade.inputs import Inputs
    from comfydeploy._facade.map import Map
    from comfydeploy._facade.run import Run
    from comfydeploy._facade.runs import Runs
    from comfydeploy._facade.session import Sessions
    from comfydeploy._facade.workflow import Workflow

__all__ = ["ComfyDeploy"]


class ComfyDeploy(ComfyDeployCore):
    """A core with the operations as methods that raise: ``client.run.queue(request)``.

    Takes what ``ComfyDeployCore`` takes and can be given to the standalone functions in place of one.
    """

    @cached_property
    def run(self) -> "Run":
        """Create runs, wait for them and read them."""
        from comfydeploy._facade.run import Run

        return Run(self)

    @cached_property
    def deployment(self) -> "Deployment":
        """Read one deployment."""
        from comfydeploy._facade.deployment import Deployment

        return Deployment(self)

    @cached_property
    def deployments(self) -> "Deployments":
        """Read deployments."""
        from comfydeploy._facade.deployments import Deployments

        return Deployments(self)

    @cached_property
    def file(self) -> "File":
        """Upload and download files."""
        from comfydeploy._facade.file import File

        return File(self)

    @cached_property
    def inputs(self) -> "Inputs":
        """Upload the files among inputs."""
        from comfydeploy._facade.inputs import Inputs

        return Inputs(self)

    @cached_property
    def map(self) -> "Map":
        """Bring the jobs of a map forward one by one."""
        from comfydeploy._facade.map import Map

        return Map(self)

    @cached_property
    def runs(self) -> "Runs":
        """List runs."""
        from comfydeploy._facade.runs import Runs

        return Runs(self)

    @cached_property
    def session(self) -> "Sessions":
        """Open, read and close sessions."""
        from comfydeploy._facade.session import Sessions

        return Sessions(self)

    @cached_property
    def workflow(self) -> "Workflow":
        """Read what belongs to a workflow."""
        from comfydeploy._facade.workflow import Workflow

        return Workflow(self)
