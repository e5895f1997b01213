"""Telling a run's webhook what happens to it."""

import asyncio
import json
import logging
from collections import deque
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.runs import Run

WAITS: Final = (0.0, 0.5, 1.0)

_log: Final = logging.getLogger(__name__)


class Webhooks:
    """Delivers without holding up the run: in order for each run, three tries each."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._client: httpx.AsyncClient | None = None
        # The states of each run that are to be delivered, beginning with the one that is.
        self._waiting: Final[dict[str, deque[Run]]] = {}
        self._tasks: Final[set[asyncio.Task[None]]] = set()

    def tell(self, run: Run, base: str) -> None:
        """Deliver the run as it is now, once everything told of it before has been delivered or given up."""
        if not run.webhook:
            return
        if waiting := self._waiting.get(run.id):
            waiting.append(run)
            return
        self._waiting[run.id] = waiting = deque([run])
        task = self._clock.task(self._deliver_all(waiting, run.webhook, base))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up what has not been delivered."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    async def _deliver_all(self, waiting: deque[Run], address: str, base: str) -> None:
        run_id = waiting[0].id
        while waiting:
            await self._deliver(waiting[0], address, base)
            waiting.popleft()
        del self._waiting[run_id]

    async def _deliver(self, run: Run, address: str, base: str) -> None:
        for wait in WAITS:
            await self._clock.sleep(wait)
            if await self._delivered(run, address, base):
                return
        _log.warning("The webhook of run %s was not told that it is %s", run.id, run.status)

    async def _delivered(self, run: Run, address: str, base: str) -> bool:
        try:
            body = json.dumps(run.delivered(base, _event_type(address)))
            answer = await self._opened().post(address, content=body, headers={"content-type": "application/json"})
        except Exception as error:  # noqa: BLE001 - an address is anybody's text: whatever it causes, the run goes on
            _log.info("Webhook: %s: %s", type(error).__name__, error)
            return False
        return not answer.is_error

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            # A proxy of the environment could not reach a receiver on this computer.
            self._client = httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(10, pool=None))
        return self._client


def _event_type(address: str) -> str:
    targets = ",".join(parse_qs(urlsplit(address).query).get("target_events", []))
    return "run.output" if "run.output" in targets.split(",") else "run.updated"
