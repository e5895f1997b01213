"""The raising facade: the same operations as methods, in groups."""

from functools import cached_property
from typing import TYPE_CHECKING

from comfydeploy.core import ComfyDeployCore

if TYPE_CHECKING:
    from comfydeploy._facade.run import Run

__all__ = ["ComfyDeploy"]


class ComfyDeploy(ComfyDeployCore):
    """A core with the operations as methods that raise: ``client.run.queue(request)``.

    Takes what ``ComfyDeployCore`` takes and can be given to the standalone functions in place of one.
    """

    @cached_property
    def run(self) -> "Run":
        """Create runs and read them."""
        from comfydeploy._facade.run import Run

        return Run(self)
