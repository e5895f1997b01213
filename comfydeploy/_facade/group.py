"""The common part of the groups of the raising facade."""

from attrs import frozen

from comfydeploy.core import ComfyDeployCore


@frozen
class Group:
    """Methods on one core; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore
