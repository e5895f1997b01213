"""The raising facade: the same operations as methods, in groups."""

from functools import cached_property
from typing import TYPE_CHECKING

from comfydeploy.core import ComfyDeployCore
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from datetime import datetime

    from comfydeploy._facade.asset import Assets
    from comfydeploy._facade.assets import AssetFolders
    from comfydeploy._facade.deployment import Deployment
    from comfydeploy._facade.deployments import Deployments
    from comfydeploy._facade.file import File
    from comfydeploy._facade.inputs import Inputs
    from comfydeploy._facade.machine import Machine
    from comfydeploy._facade.machines import Machines
    from comfydeploy._facade.map import Map
    from comfydeploy._facade.models import PublicModels
    from comfydeploy._facade.progress import Progress
    from comfydeploy._facade.run import Run
    from comfydeploy._facade.runs import Runs
    from comfydeploy._facade.session import Sessions
    from comfydeploy._facade.share import Share
    from comfydeploy._facade.workflow import Workflow
    from comfydeploy.models.usage import Usage

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
        """Create, change and read one deployment."""
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
        """Open, read, prolong and close sessions."""
        from comfydeploy._facade.session import Sessions

        return Sessions(self)

    @cached_property
    def workflow(self) -> "Workflow":
        """Read what belongs to a workflow."""
        from comfydeploy._facade.workflow import Workflow

        return Workflow(self)

    @cached_property
    def asset(self) -> "Assets":
        """Store, read and delete one asset."""
        from comfydeploy._facade.asset import Assets

        return Assets(self)

    @cached_property
    def assets(self) -> "AssetFolders":
        """List and create the folders of assets."""
        from comfydeploy._facade.assets import AssetFolders

        return AssetFolders(self)

    @cached_property
    def machine(self) -> "Machine":
        """Read one machine."""
        from comfydeploy._facade.machine import Machine

        return Machine(self)

    @cached_property
    def machines(self) -> "Machines":
        """List machines."""
        from comfydeploy._facade.machines import Machines

        return Machines(self)

    @cached_property
    def models(self) -> "PublicModels":
        """List the public models, and search others."""
        from comfydeploy._facade.models import PublicModels

        return PublicModels(self)

    @cached_property
    def progress(self) -> "Progress":
        """Follow the runs of a workflow."""
        from comfydeploy._facade.progress import Progress

        return Progress(self)

    @cached_property
    def share(self) -> "Share":
        """Read what is shared under an address."""
        from comfydeploy._facade.share import Share

        return Share(self)

    def usage(
        self,
        options: RequestOptions | None = None,
        *,
        start_time: "datetime | None" = None,
        end_time: "datetime | None" = None,
    ) -> "Usage":
        """Return the use of machines in a period, and its cost.

        What still goes on is not in it.

        Args:
            options: What is different for this call: timeout, retries, headers, deadline.
            start_time: The begin, an aware time; without it the last invoice, or the creation of the account.
            end_time: The end, an aware time; without it now.

        Raises:
            ComfyDeployError: What ``usage`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.usage import usage

        return unwrap(usage(self, options, start_time=start_time, end_time=end_time))

    async def usage_async(
        self,
        options: RequestOptions | None = None,
        *,
        start_time: "datetime | None" = None,
        end_time: "datetime | None" = None,
    ) -> "Usage":
        """Return the use of machines in a period, and its cost.

        What still goes on is not in it.

        Args:
            options: What is different for this call: timeout, retries, headers, deadline.
            start_time: The begin, an aware time; without it the last invoice, or the creation of the account.
            end_time: The end, an aware time; without it now.

        Raises:
            ComfyDeployError: What ``usage`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.usage import usage_async

        return unwrap(await usage_async(self, options, start_time=start_time, end_time=end_time))
