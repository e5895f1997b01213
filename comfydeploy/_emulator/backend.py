"""The parts of a server."""

import asyncio
from dataclasses import dataclass
from functools import partial
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, Final

from comfydeploy._emulator.assets import Assets
from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments.catalogue import Catalogue
from comfydeploy._emulator.folder import Folder
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.listings import Listings
from comfydeploy._emulator.machine.life import Life
from comfydeploy._emulator.machine.machine import Machine
from comfydeploy._emulator.machine.simulation import Simulation
from comfydeploy._emulator.networks import Networks
from comfydeploy._emulator.quirks.active import ActiveQuirks
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.quirks.logs import webhook_line
from comfydeploy._emulator.quirks.runs import quirky_life
from comfydeploy._emulator.quirks.webhooks import method, quirky_send
from comfydeploy._emulator.runs.feed import Feed
from comfydeploy._emulator.runs.run import Run
from comfydeploy._emulator.runs.store import Store
from comfydeploy._emulator.sessions import Sessions
from comfydeploy._emulator.uploads import Uploads
from comfydeploy._emulator.web.event_stream import EventStream
from comfydeploy._emulator.webhooks.deliveries import Deliveries, Delivery
from comfydeploy._emulator.webhooks.sender import Rules, Webhooks
from comfydeploy._emulator.webhooks.transport import NetworkTransport, Transport

if TYPE_CHECKING:
    from comfydeploy._emulator.comfyui.client import ComfyUI
    from comfydeploy._emulator.comfyui.execution import Executions
    from comfydeploy._emulator.comfyui.workflows import WorkflowFolder


COLD_START: Final = 0.3  # seconds


@dataclass(frozen=True)
class Settings:
    """The settings of a server."""

    data: Path | None = None
    seed: int | None = None
    cold_start: float = COLD_START
    queue_length: int = 0
    retention: int | None = None
    quirks: frozenset[Quirk] = frozenset()
    comfyui: "ComfyUI | None" = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    allowed_networks: tuple[str, ...] = ()

    @property
    def networks(self) -> Networks:
        """The networks that requests may be sent to."""
        return Networks(self.allowed_networks)

    def __post_init__(self) -> None:
        # Raises a ValueError for an invalid network.
        _ = self.networks
        if not 0 <= self.cold_start < inf:
            raise ValueError(f"cold_start must be a number of seconds, 0 or more, not {self.cold_start}")
        if self.queue_length < 0:
            raise ValueError(f"queue_length must be a number of runs, 0 or more, not {self.queue_length}")
        if self.retention is not None and self.retention < 1:
            raise ValueError(f"retention must be a number of runs, 1 or more, not {self.retention}")
        if self.data and self.seed is not None:
            raise ValueError("seed cannot be combined with data: the ids of kept runs would be used again")


class Backend:
    """The parts of one server."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        catalogue: Catalogue,
        streams: set[EventStream],
        deliveries: Deliveries,
    ) -> None:
        self.clock: Final = clock
        self.catalogue: Final = catalogue
        self.deliveries: Final = deliveries
        self.streams: Final = streams
        self.quirks: Final = ActiveQuirks(settings.quirks)
        self.ids: Final = Ids(settings.seed)
        self.settings: Final = settings
        self.receiver: Transport | None = None
        self._network: Final = NetworkTransport(settings.networks)
        self._advancing: Final = asyncio.Lock()
        self._folder: Final = Folder(settings.data)
        self.listings: Final = Listings(settings.data, catalogue)  # before the database, which has to be closed
        self.store: Final = Store(self._folder, settings.retention)
        self.feed: Final = Feed(clock)
        self.sessions: Final = Sessions(clock, self.ids)
        self.uploads: Final = Uploads(self._folder, self.ids)
        self.assets: Final = Assets(self._folder, self.store.collection("asset"), clock, self.ids)
        deployments = self.store.collection("deployment")
        catalogue.keep_in(deployments.all(), deployments.save)
        simulation = Simulation(clock, self.ids, settings.cold_start)
        life: Life = simulation.life
        comfyui = settings.comfyui
        self._executions: Final = self._comfyui_executions(comfyui, simulation, life) if comfyui else None
        if self._executions:
            life = self._executions.life
        self._webhooks: Final = Webhooks(
            clock,
            self._delivered,
            lambda: self.receiver or self._network,
            Rules(
                wrap=partial(quirky_send, quirks=self.quirks, now=clock.now),
                method=partial(method, quirks=self.quirks),
                drops_body=lambda: Quirk.REDIRECTED_WEBHOOKS in self.quirks,
            ),
        )
        self.machine: Final = Machine(self.store, clock, quirky_life(life, self.quirks), self._webhooks.send, self.feed)

    def _comfyui_executions(self, comfyui: "ComfyUI", simulation: Simulation, life: Life) -> "Executions":
        from comfydeploy._emulator.comfyui.execution import Executions
        from comfydeploy._emulator.comfyui.messages import Messages

        return Executions(
            Messages(comfyui),
            self._stored_file,
            self.settings.networks,
            self._folder,
            self.clock,
            self.ids,
            simulation.arrival,
            simulated=life,
        )

    def _stored_file(self, path: str) -> Path | None:
        """Return the file at the path of an address of this server, if there is one."""
        match path.split("/"):
            case ["", "inputs", name]:
                return self.uploads.path(name)
            case ["", "assets", name]:
                return self.assets.file(name)
            case ["", "outputs", "runs", run_id, name]:
                return self.output_file(run_id, name)
            case _:
                return None

    def output_file(self, run_id: str, name: str) -> Path | None:
        """Return an output file of a run; only names that the run lists exist."""
        run = self.store.run(run_id)
        return self.store.file(run_id, name) if run and name in [file.filename for file in run.files] else None

    def _delivered(self, delivery: Delivery) -> None:
        self.deliveries.add(delivery)
        self.feed.delivered(delivery.run_id)
        if Quirk.NOISY_LOGS in self.quirks:
            self.machine.add_line(delivery.run_id, webhook_line(delivery, self.clock.now()))

    async def comfyui_problems(self, folder: "WorkflowFolder | None") -> list[str]:
        """Return what is wrong with the ComfyUI, and with the workflows of a folder for it."""
        return await self._executions.problems(folder) if self._executions else []

    async def queue_position(self, run: Run) -> int | None:
        """Return the queue position of a waiting run; the runs of others before it leave one by one."""
        if self._executions and run.status == "queued":
            return await self._executions.position(run)
        if (position := self.store.queue_position(run)) is None:
            return None
        waited = (self.clock.now() - run.created_at).total_seconds()
        wait = self.settings.cold_start * self.clock.pace
        # Each of the other runs, and finally the run itself, is first for an equal part of the cold start.
        before = ceil((self.settings.queue_length + 1) * (1 - waited / wait)) - 1 if wait else 0
        return position + max(0, before)

    async def runs(self) -> tuple[Run, ...]:
        """Return all runs, oldest first."""
        return tuple(self.store.runs())

    async def advance(self, seconds: float) -> None:
        """Advance the manual clock; concurrent calls follow one another."""
        async with self._advancing:
            await self.clock.advance(seconds)

    async def stop(self) -> None:
        """End all runs, streams and sessions."""
        self.feed.end()
        await self.sessions.stop()
        await self.machine.stop()
        await self._webhooks.stop()
        for stream in self.streams:
            stream.end()
        if self._executions:
            await self._executions.close()

    def close(self) -> None:
        """Close the files, after ``stop``."""
        self.store.close()
        self._folder.close()
