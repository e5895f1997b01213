"""What stands behind the routes."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments import Deployments
from comfydeploy._emulator.events import EventStream
from comfydeploy._emulator.life import Life, life
from comfydeploy._emulator.machine import Machine
from comfydeploy._emulator.sessions import Sessions
from comfydeploy._emulator.store import Store
from comfydeploy._emulator.uploads import Uploads

if TYPE_CHECKING:
    from comfydeploy._emulator.comfyui.client import ComfyUI


class Backend:
    """The parts of one server, which keeps its files below ``folder``."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        streams: set[EventStream],
        deployments: Deployments,
        comfyui: "ComfyUI | None",
    ) -> None:
        self.clock: Final = clock
        self.streams: Final = streams
        self.deployments: Final = deployments
        self.store: Final = Store(folder)
        self.uploads: Final = Uploads(folder / "inputs")
        self.sessions: Final = Sessions(clock)
        self._comfyui: Final = comfyui
        lives: Life = partial(life, clock=clock)
        if comfyui:
            from comfydeploy._emulator.comfyui.execution import Executions

            lives = Executions(comfyui, self.uploads, folder, clock, lives).life
        self.machine: Final = Machine(self.store, clock, lives)

    async def stop(self) -> None:
        """End what runs, so that nobody waits for it any longer."""
        await self.sessions.stop()
        await self.machine.stop()
        if self._comfyui:
            await self._comfyui.close()

    def close(self) -> None:
        """Close the files, once nothing runs any more."""
        self.store.close()
