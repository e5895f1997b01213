"""A local ComfyDeploy server that really runs runs (extra ``comfydeploy[emulator]``)."""

from comfydeploy._emulator.server import Emulator

__all__ = ["Emulator"]
