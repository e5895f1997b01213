"""What stands behind the routes."""

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deliveries import Deliveries
from comfydeploy._emulator.events import EventStream
from comfydeploy._emulator.graphs import checked_life
from comfydeploy._emulator.life import life
from comfydeploy._emulator.machine import Machine
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.quirks.runs import quirky_life
from comfydeploy._emulator.sessions import Sessions
from comfydeploy._emulator.store import Store
from comfydeploy._emulator.uploads import Uploads
from comfydeploy._emulator.webhooks import Webhooks


class Backend:
    """The parts of one server, which keeps its files below ``folder``."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        streams: set[EventStream],
        deliveries: Deliveries,
        quirks: Collection[Quirk],
    ) -> None:
        self.clock: Final = clock
        self.streams: Final = streams
        self.quirks: Final = quirks
        self.store: Final = Store(folder)
        lived = quirky_life(checked_life(partial(life, clock=clock)), quirks)
        self.machine: Final = Machine(self.store, clock, lived, Webhooks(clock, deliveries, quirks))
        self.sessions: Final = Sessions(clock)
        self.uploads: Final = Uploads(folder / "inputs")

    async def stop(self) -> None:
        """End what runs, so that nobody waits for it any longer."""
        await self.sessions.stop()
        await self.machine.stop()
        for stream in self.streams:
            stream.end()

    def close(self) -> None:
        """Close the files, once nothing runs any more."""
        self.store.close()
