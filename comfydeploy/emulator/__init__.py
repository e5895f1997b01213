"""A local ComfyDeploy server that really runs runs (extra ``comfydeploy[emulator]``)."""

from .server import Emulator

__all__ = ["Emulator"]
