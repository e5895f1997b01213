"""What the groups of the raising facade have in common."""

from attrs import frozen

from comfydeploy.core import ComfyDeployCore


@frozen
class Group:
    """Methods on one core; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore
