"""What stands behind the routes."""

from functools import partial
from pathlib import Path
from typing import Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments import Deployments
from comfydeploy._emulator.events import EventStream
from comfydeploy._emulator.life import life
from comfydeploy._emulator.machine import Machine
from comfydeploy._emulator.sessions import Sessions
from comfydeploy._emulator.store import Store
from comfydeploy._emulator.uploads import Uploads


class Backend:
    """The parts of one server, which keeps its files below ``folder``."""

    def __init__(self, folder: Path, clock: Clock, streams: set[EventStream]) -> None:
        self.clock: Final = clock
        self.streams: Final = streams
        self.deployments: Final = Deployments()
        self.store: Final = Store(folder)
        self.machine: Final = Machine(self.store, clock, partial(life, clock=clock))
        self.sessions: Final = Sessions(clock)
        self.uploads: Final = Uploads(folder / "inputs")

    async def stop(self) -> None:
        """End what runs, so that nobody waits for it any longer."""
        await self.sessions.stop()
        await self.machine.stop()

    def close(self) -> None:
        """Close the files, once nothing runs any more."""
        self.store.close()
